"""Find PostgreSQL and Redis on the system, or install them from the system's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def postgres_bin() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``, newest version first; None if there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return installed[-1].parent if installed else None


def apt_install(*packages: str) -> bool:
    """Install Debian packages, as root or through sudo without a password; return False if that is not possible."""
    apt = shutil.which("apt-get")
    sudo = shutil.which("sudo")
    if apt is None or (os.geteuid() != 0 and sudo is None):
        return False
    prefix = [] if os.geteuid() == 0 else [str(sudo), "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *packages]):
        print("+ apt-get", *step, flush=True)
        if subprocess.run([*prefix, apt, *step], env=environment, check=False, stdout=subprocess.DEVNULL).returncode:
            return False
    return True


def redis_server() -> Path | None:
    """Return the Redis server, installed if it is missing; None if that is not possible."""
    found = shutil.which("redis-server") or (shutil.which("redis-server") if apt_install("redis-server") else None)
    return Path(found) if found else None


def install_postgres() -> bool:
    """Install PostgreSQL if it is missing. If that fails, the tests that need it fail with an explanation."""
    return apt_install("postgresql")

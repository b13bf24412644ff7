"""PostgreSQL for the tests: found where the system has it, else installed from the system's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def postgres_bin() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, newest version first; None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return installed[-1].parent if installed else None


def apt_install(*packages: str) -> bool:
    """Install Debian packages, as root or through sudo without a password; False where that is not possible."""
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


def install_postgres() -> bool:
    """Get a PostgreSQL; the tests that need one fail with a sentence where that was not possible."""
    return apt_install("postgresql")

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from tests.bench import table


def main(names: list[str]) -> int:
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    if not names or not set(names) <= set(known):
        print(f"python -m tests.bench NAME [NAME …], with NAME one of: {', '.join(known)}")
        return 2
    for name in names:
        print(f"\n{name}\n")
        print(table(import_module(f"tests.bench.{name}").run()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

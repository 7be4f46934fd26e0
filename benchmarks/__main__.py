"""Run every measure in this folder, one after the other: ``python -m benchmarks``."""

from importlib import import_module
from pathlib import Path


def main() -> None:
    """Call the ``main`` of each module here."""
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        print(f"== {path.stem}", flush=True)
        import_module(f"benchmarks.{path.stem}").main()


if __name__ == "__main__":
    main()

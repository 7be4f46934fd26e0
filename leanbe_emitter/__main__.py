"""``python -m leanbe_emitter`` and the command ``leanbe-emitter``."""

import sys

from leanbe_emitter.cli.app import main as run


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run())


if __name__ == "__main__":
    main()

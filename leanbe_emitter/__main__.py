"""``python -m leanbe_emitter`` and the command ``leanbe-emitter``."""

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit("not built yet")


if __name__ == "__main__":
    main()

"""``python -m leanbe_emitter`` and the command ``leanbe-emitter``."""

import sys

#: The exit status of a program that was interrupted.
_INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        # Loading takes a moment, in which Ctrl-C can come, too.
        from leanbe_emitter.cli.app import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    sys.exit(run())


if __name__ == "__main__":
    main()

"""``python -m leanbe_emitter`` and the command ``leanbe-emitter``.

What is loaded, some hundred thousand objects, stays until the end. To look for garbage among them
again and again meanwhile, and once more at the end, took a third of the time of a short command.
"""

import gc
import signal
import sys

#: The exit status of a program that was interrupted.
_INTERRUPTED = 130
#: So many new objects make Python look for garbage, instead of 700: a short command makes fewer.
_NEW_OBJECTS = 200_000


def main() -> None:
    """Run the command line and leave with its exit status."""
    gc.set_threshold(_NEW_OBJECTS)
    try:
        # Loading takes a moment, in which Ctrl-C can come, too.
        from leanbe_emitter.cli.app import main as run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    status = run(on_end=_end_at_once_on_ctrl_c)
    gc.freeze()
    sys.exit(status)


def _end_at_once_on_ctrl_c() -> None:
    """Give Ctrl-C the system's action: a second one comes while the program says its last words."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()

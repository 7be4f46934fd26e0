"""The question before a command deletes: on a terminal it says what will go, and asks."""

import sys
from collections.abc import Callable, Mapping

from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.terminal import Terminal

_YES = frozenset({"y", "yes"})


def confirm(what: Callable[[], str], *, yes: bool) -> None:
    """Say on a terminal what a command is about to do, and ask whether to go on.

    Args:
        what: returns a sentence; empty if there is nothing to ask about. It is not called where
            nobody is asked.
        yes: whether the user has agreed already; nobody is asked without a terminal, either.

    Raises:
        Failed: the user does not agree.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    sentence = what()
    if sentence and not _agreed(sentence):
        raise Failed("Nothing was changed.")


def _agreed(sentence: str) -> bool:
    lines = Terminal.of(sys.stderr).wrapped(sentence)
    sys.stderr.write("\n".join([*lines, "Continue? [y/N] "]))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def numbers(counts: Mapping[str, int]) -> str:
    """Return numbers with their nouns: ``1 idea, 2 deliveries``; numbers of 0 are left out."""
    return ", ".join(f"{number} {_noun(noun, number)}" for noun, number in counts.items() if number)


def _noun(noun: str, number: int) -> str:
    if number == 1:
        return noun
    return f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"

"""Text for a terminal: lines that fit its width, and colours.

A stream that is no terminal has no width and no colour: files and pipes get whole lines. A colour
never stands alone: the coloured text is a word that says the same.
"""

import os
import re
import shutil
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import IO, Final, Self

import click

from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome

#: Colours of outcomes and of delivery statuses; "delivered" is both.
_COLOURS: Final = {
    Outcome.DELIVERED.value: "green",
    Outcome.REFUSED.value: "red",
    Outcome.UNREACHABLE.value: "red",
    Outcome.UNKNOWN.value: "yellow",
    DeliveryStatus.PENDING.value: "yellow",
    DeliveryStatus.EXHAUSTED.value: "red",
    DeliveryStatus.CANCELLED.value: "bright_black",
}
#: A command to copy, with its words but without the end of the sentence.
_COMMAND = re.compile(r"leanbe-emitter(?: (?:--)?\w[\w.:/-]*\w)+")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def colour_of(word: str) -> str:
    """Return the colour of an outcome or of a delivery's status; other words have none."""
    return _COLOURS.get(word, "")


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """How a stream shows lines.

    Attributes:
        width: the columns of the terminal; None if the stream is no terminal.
        has_colour: whether colours are shown.
    """

    width: int | None = None
    has_colour: bool = False

    @classmethod
    def of(cls, stream: IO[str]) -> Self:
        """Return what a stream shows; ``NO_COLOR`` in the environment turns colours off."""
        if not stream.isatty():
            return cls()
        has_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(width=shutil.get_terminal_size().columns, has_colour=has_colour)

    def coloured(self, text: str, *, by: str) -> str:
        """Return text in the colour of an outcome or of a status."""
        colour = colour_of(by)
        return click.style(text, fg=colour) if self.has_colour and colour else text

    def fitted(self, text: str, *, beside: int) -> str:
        """Return text that fits into a line beside other text of so many columns."""
        return text if self.width is None else _cut(text, self.width - beside)

    def wrapped(self, text: str, *, indent: int = 0) -> list[str]:
        """Return the lines of a text that begins after an indent; no command is broken."""
        if self.width is None:
            return [text]
        unbroken = _COMMAND.sub(lambda found: found[0].replace(" ", _NO_BREAK), text)
        lines = textwrap.wrap(
            unbroken, max(1, self.width - indent), break_long_words=False, break_on_hyphens=False
        )
        return [line.replace(_NO_BREAK, " ") for line in lines] or [""]


def _cut(text: str, columns: int) -> str:
    """Return the beginning of a text, with an ellipsis where it was cut."""
    if sum(map(_columns, text)) <= columns:
        return text
    shown, free = "", columns - 1
    for character in text:
        free -= _columns(character)
        if free < 0:
            break
        shown += character
    return f"{shown}…"


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

"""The type of a parameter whose value is a member of an enum.

click before 8.2 knows choices of texts only, so the enum's values are the choices.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:  # click 8.1's class takes no type argument
    _Choice = click.Choice


class EnumChoice(_Choice):
    """A choice of an enum's values, in upper or lower case; the command gets the member."""

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__([each.value for each in kind], case_sensitive=False)
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the member of the text."""
        return self._kind(super().convert(value, param, ctx))

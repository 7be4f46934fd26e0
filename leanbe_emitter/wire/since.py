"""Since when, as filters take it: how long ago, or an instant."""

from datetime import datetime

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.instants import parse_given_instant


def parse_since(text: str) -> float | datetime:
    """Return an instant, or the seconds of how long ago it was.

    Raises:
        InvalidValue: it is neither.
    """
    if "t" in text.lower():
        return parse_given_instant(text)
    try:
        return parse_duration(text)
    except InvalidValue as error:
        hint = f"{error.hint} Or write an instant like 2026-11-26T00:00:00Z."
        raise InvalidValue(error.message, hint=hint) from None

"""The sending side of Leanbe's webhooks: signed, delivered, retried and explained.

The names below are loaded when they are first used, so that a receiver's
``from leanbe_emitter import verify`` costs a few milliseconds and loads no database library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.wire.envelope import Envelope, verify
    from leanbe_emitter.wire.signing import sign, sign_text
    from leanbe_emitter.wire.stringify import stringify

__version__ = "0.1.0"

_HOMES = {
    "Envelope": "wire.envelope",
    "verify": "wire.envelope",
    "sign": "wire.signing",
    "sign_text": "wire.signing",
    "stringify": "wire.stringify",
}

__all__ = ["Envelope", "sign", "sign_text", "stringify", "verify"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

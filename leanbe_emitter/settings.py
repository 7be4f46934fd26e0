"""The settings: an argument beats the environment, which beats the default.

Everything here has one name: the field ``lease_seconds`` is the variable
``LEANBE_EMITTER_LEASE_SECONDS``. Only the command line reads the environment: ``Leanbe()`` in code
never does. What steers one command alone is an option of it, and no setting.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.hosts import is_loopback, parse_host
from leanbe_emitter.targets import TargetRules, parse_targets
from leanbe_emitter.wire.assumptions.parsing import parse_assignment
from leanbe_emitter.wire.durations import parse_duration

#: What the environment's variables begin with.
PREFIX = "LEANBE_EMITTER_"

_MEBIBYTE = 1 << 20
_HIGHEST_PORT = 65535


class LogLevel(StrEnum):
    """How much the log on stderr says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Synchronous(StrEnum):
    """When a file of SQLite waits for the disk."""

    #: When its log is moved into the file: a power cut can undo the last commits.
    NORMAL = "normal"
    #: At every commit: a power cut undoes none.
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set about the program, with its default.

    Raises:
        InvalidValue: a number that must be more than nothing is not.
    """

    #: An SQLAlchemy URL of SQLite or PostgreSQL; a relative file is of the current directory.
    db: str = "sqlite:///leanbe-emitter.db"
    #: When a file of SQLite waits for the disk; a process that is killed loses nothing either way.
    sqlite_synchronous: Synchronous = Synchronous.NORMAL
    log_level: LogLevel = LogLevel.WARNING
    #: The address that the server listens at; beyond loopback, others can reach it.
    host: str = "127.0.0.1"
    #: The server's port; 0 for a free one.
    port: int = 5326
    #: What callers of the server have to show; empty: nothing.
    token: str = field(default="", repr=False)
    #: Requests that one worker has in flight at once: some that never are answered leave room.
    concurrency: int = 256
    #: Requests that one product has in flight at once, in one worker (contract c.5).
    per_product: int = 16
    #: How long a worker owns what it claimed, before others may take it.
    lease_seconds: float = 30.0
    #: Assumptions of the products that are created here: name to text (contract d).
    assume: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Further hosts and networks that webhooks may point to, beyond the rule of ``targets``.
    allow_targets: tuple[str, ...] = ()
    #: The longest body of a request to the server, in bytes.
    max_request_bytes: int = _MEBIBYTE
    #: The longest payload text, in bytes of UTF-8.
    max_payload_bytes: int = _MEBIBYTE
    #: The deepest nesting of a payload.
    max_depth: int = 200
    #: How much of an answer's body an attempt keeps.
    kept_answer_bytes: int = 64 * 1024
    #: How much of an answer's headers an attempt keeps.
    kept_header_bytes: int = 16 * 1024
    #: How long a waiting worker sleeps before it looks again without having been woken.
    poll_seconds: float = 2.0

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            if not getattr(self, name) > 0:
                raise InvalidValue(
                    f"{name} must be more than 0, and {getattr(self, name)} is not.",
                    hint="Leave it out for the default.",
                )

    @property
    def target_rules(self) -> TargetRules:
        """Where webhooks may point: less, once others can reach the server."""
        return TargetRules(allow=self.allow_targets, exposed=not is_loopback(self.host))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **arguments: Any) -> Self:
        """Return the settings of arguments, then ``LEANBE_EMITTER_<NAME>``, then the defaults.

        Args:
            environ: the variables; those that are empty count as not set.
            arguments: by the names of the fields; None is *not given*.

        Raises:
            InvalidValue: a variable's value is refused; the message names the variable.
        """
        values = {name: given for name, given in arguments.items() if given is not None}
        for name in (each.name for each in fields(cls)):
            text = environ.get(variable(name), "")
            if text and name not in values:
                values[name] = _read(name, text)
        return cls(**values)


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def _read(name: str, text: str) -> object:
    try:
        value = _READERS[name](text)
        only: dict[str, Any] = {name: value}
        Settings(**only)
    except LeanbeError as error:
        raise InvalidValue(f"{variable(name)}: {error.message}", hint=error.hints) from error
    return value


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
        raise InvalidValue(f"{text!r} is no whole number.", hint="Write it in digits, like 64.")
    return int(text)


def _port(text: str) -> int:
    port = _integer(text)
    if not 0 <= port <= _HIGHEST_PORT:
        raise InvalidValue(f"{text!r} is no port.", hint="Use 1 to 65535, or 0 for a free one.")
    return port


def _token(text: str) -> str:
    """Return a token that a header can carry; the message never shows it."""
    if not re.fullmatch(r"[!-~]+", text):
        raise InvalidValue(
            "The token holds a character that callers could not send.",
            hint="Use letters, digits and punctuation of ASCII, without spaces and line breaks.",
        )
    return text


def _log_level(text: str) -> LogLevel:
    try:
        return LogLevel(text.strip().lower())
    except ValueError:
        raise InvalidValue(
            f"{text!r} is no log level.", hint=f"Use one of {', '.join(LogLevel)}."
        ) from None


def _synchronous(text: str) -> Synchronous:
    try:
        return Synchronous(text.strip().lower())
    except ValueError:
        raise InvalidValue(
            f"{text!r} does not say when to wait for the disk.",
            hint=f"Use one of {', '.join(Synchronous)}.",
        ) from None


def _assignments(text: str) -> Mapping[str, str]:
    # A value may be a list: a comma begins the next assignment only if a NAME= follows it.
    parts = re.split(r",(?=\s*[A-Za-z_]+=)", text)
    return MappingProxyType(dict(parse_assignment(part.strip()) for part in parts))


_READERS: Mapping[str, Callable[[str], object]] = {
    "db": str,
    "sqlite_synchronous": _synchronous,
    "log_level": _log_level,
    "host": parse_host,
    "port": _port,
    "token": _token,
    "concurrency": _integer,
    "per_product": _integer,
    "lease_seconds": parse_duration,
    "assume": _assignments,
    "allow_targets": parse_targets,
    "max_request_bytes": _integer,
    "max_payload_bytes": _integer,
    "max_depth": _integer,
    "kept_answer_bytes": _integer,
    "kept_header_bytes": _integer,
    "poll_seconds": parse_duration,
}

_NUMBERS = tuple(name for name, reader in _READERS.items() if reader in {_integer, parse_duration})

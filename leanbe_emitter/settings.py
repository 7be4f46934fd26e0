"""The settings: an argument wins over the environment, which wins over the default.

Each setting has one name: the field ``lease_seconds`` is the variable
``LEANBE_EMITTER_LEASE_SECONDS``. Only the command line reads the environment; ``Leanbe()`` in code
never does. An option that steers a single command is no setting.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from leanbe_emitter.errors import InvalidValue, LeanbeError, check_type
from leanbe_emitter.hints import Hint
from leanbe_emitter.host_syntax import is_loopback, parse_host
from leanbe_emitter.target_rules import TargetRules, parse_only_targets, parse_targets
from leanbe_emitter.wire.assumptions.parsing import parse_assignment
from leanbe_emitter.wire.durations import parse_duration

#: The prefix of the environment variables.
PREFIX = "LEANBE_EMITTER_"

_MEBIBYTE = 1 << 20
_HIGHEST_PORT = 65535
_ONE_LIST = Hint(
    call="Give one of them: only_targets also replaces the other rules for targets.",
    command="Give one of --allow-targets (LEANBE_EMITTER_ALLOW_TARGETS) and --only-targets "
    "(LEANBE_EMITTER_ONLY_TARGETS).",
    request="Give one of them: only_targets also replaces the other rules for targets.",
)


class LogLevel(StrEnum):
    """The level of the log on stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Synchronous(StrEnum):
    """When SQLite waits for the disk."""

    #: When it moves its log into the file: a power cut can undo the last commits.
    NORMAL = "normal"
    #: At every commit: a power cut undoes no commit.
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of the program, with their defaults.

    Raises:
        InvalidValue: a number is not above 0, or ``allow_targets`` and ``only_targets`` are given.
    """

    #: An SQLAlchemy URL of SQLite or PostgreSQL; a relative file is in the current directory.
    db: str = "sqlite:///leanbe-emitter.db"
    #: When SQLite waits for the disk; a killed process loses no commit in either case.
    sqlite_synchronous: Synchronous = Synchronous.NORMAL
    log_level: LogLevel = LogLevel.WARNING
    #: The address that the server listens at; outside loopback, others can reach it.
    host: str = "127.0.0.1"
    #: The server's port; 0 for a free one.
    port: int = 5326
    #: The token that the server's callers must send; empty for none.
    token: str = field(default="", repr=False)
    #: How many requests one worker has in flight at once; enough room beside some without answers.
    concurrency: int = 256
    #: How many requests of one product a worker has in flight at once (contract c.5).
    per_product: int = 16
    #: How long a worker owns a claimed delivery, before others may claim it.
    lease_seconds: float = 30.0
    #: Assumptions of products that this process creates, by name (contract d).
    assume: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Hosts and networks that webhooks may call in addition to ``target_rules``.
    allow_targets: tuple[str, ...] = ()
    #: How many connections the server has at once; 0 for half of the descriptors of the process.
    max_connections: int = 0
    #: The only hosts and networks that webhooks may call, if there are any.
    only_targets: tuple[str, ...] = ()
    #: The longest body of a request to the server, in bytes.
    max_request_bytes: int = _MEBIBYTE
    #: The longest payload text, in bytes of UTF-8.
    max_payload_bytes: int = _MEBIBYTE
    #: The deepest nesting of a payload.
    max_depth: int = 200
    #: How many bytes of an answer's body an attempt keeps.
    kept_answer_bytes: int = 64 * 1024
    #: How many bytes of an answer's headers an attempt keeps.
    kept_header_bytes: int = 16 * 1024
    #: How long an idle worker sleeps before it polls again without a wake-up.
    poll_seconds: float = 2.0

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            check_type(getattr(self, name), int, float, what=name, words="a number")
            if not getattr(self, name) > 0:
                raise InvalidValue(
                    f"{name} must be more than 0, not {getattr(self, name)}.",
                    hint="Leave it out for the default.",
                )
        if self.allow_targets and self.only_targets:
            raise InvalidValue(
                "allow_targets and only_targets contradict each other.", hint=_ONE_LIST
            )

    @property
    def target_rules(self) -> TargetRules:
        """The targets that webhooks may call; fewer if others can reach the server."""
        return TargetRules(
            allow=self.allow_targets, only=self.only_targets, exposed=not is_loopback(self.host)
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **arguments: Any) -> Self:
        """Return settings from arguments, then ``LEANBE_EMITTER_<NAME>``, then the defaults.

        Args:
            environ: the environment variables; an empty one counts as not set.
            arguments: values by field name; None counts as not given.

        Raises:
            InvalidValue: a variable has an invalid value; the message names the variable.
        """
        values = {name: given for name, given in arguments.items() if given is not None}
        for name in (each.name for each in fields(cls)):
            text = environ.get(variable(name), "")
            if text and name not in values:
                values[name] = _parse(name, text)
        return cls(**values)


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def _parse(name: str, text: str) -> object:
    try:
        value = _PARSERS[name](text)
        only: dict[str, Any] = {name: value}
        Settings(**only)
    except LeanbeError as error:
        raise InvalidValue(f"{variable(name)}: {error.message}", hint=error.hints) from error
    return value


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text.strip()):
        raise InvalidValue(f"{text!r} is no whole number.", hint="Write it in digits, like 64.")
    return int(text)


def _connections(text: str) -> int:
    connections = _integer(text)
    if connections < 0:
        raise InvalidValue(
            f"{text!r} is no number of connections.",
            hint="Use a number above 0, or 0 for half of the descriptors.",
        )
    return connections


def _port(text: str) -> int:
    port = _integer(text)
    if not 0 <= port <= _HIGHEST_PORT:
        raise InvalidValue(f"{text!r} is no port.", hint="Use 1 to 65535, or 0 for a free one.")
    return port


def _token(text: str) -> str:
    """Return a token that fits into a header; no message shows it."""
    if not re.fullmatch(r"[!-~]+", text):
        raise InvalidValue(
            "The token has a character that callers cannot send.",
            hint="Use ASCII letters, digits and punctuation, without spaces and line breaks.",
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
            f"{text!r} is no value for when to wait for the disk.",
            hint=f"Use one of {', '.join(Synchronous)}.",
        ) from None


def _assignments(text: str) -> Mapping[str, str]:
    # A value may be a list: a comma starts the next assignment only before NAME=.
    parts = re.split(r",(?=\s*[A-Za-z_]+=)", text)
    return MappingProxyType(dict(parse_assignment(part.strip()) for part in parts))


_PARSERS: Mapping[str, Callable[[str], object]] = {
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
    "max_connections": _connections,
    "only_targets": parse_only_targets,
    "max_request_bytes": _integer,
    "max_payload_bytes": _integer,
    "max_depth": _integer,
    "kept_answer_bytes": _integer,
    "kept_header_bytes": _integer,
    "poll_seconds": parse_duration,
}

_NUMBERS = tuple(name for name, parser in _PARSERS.items() if parser in {_integer, parse_duration})

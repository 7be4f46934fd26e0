"""The log on stderr: one sentence a line, or one JSON object a line.

It contains no secrets and no payloads, because no code logs any.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from leanbe_emitter.server.http.request_ids import RequestIdFilter
from leanbe_emitter.settings import LogLevel

_ROOT = "leanbe_emitter"
#: The HTTP server: it logs requests that it cannot parse. Our own log has the rest.
_HTTP = "uvicorn"
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Lines(logging.Formatter):
    """A sentence, then its structured fields as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname.lower()}: {record.getMessage()}"
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{line} {fields}".rstrip() + trace


class _Json(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure_log(level: LogLevel, *, as_json: bool) -> None:
    """Write the package's log to stderr from this level on, and warnings of the HTTP server."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if as_json else _Lines())
    handler.addFilter(RequestIdFilter())
    least = logging.getLevelNamesMapping()[level.upper()]
    for name, lowest in {_ROOT: least, _HTTP: max(least, logging.WARNING)}.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(lowest)
        logger.propagate = False


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}

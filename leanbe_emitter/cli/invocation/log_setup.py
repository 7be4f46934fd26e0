"""The log on stderr: one sentence a line, or one JSON object a line.

It contains no secrets and no payloads, because no code logs any. A caller chooses some values, such
as the path of a request. No value can end its line, begin another one, or send the terminal a
command: characters that are not printable are escaped, and a traceback is indented.
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
        return _printable(f"{line} {fields}".rstrip()) + self._trace(record)

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        lines = self.formatException(record.exc_info).split("\n")
        return "".join(f"\n  {_printable(each)}" for each in lines)


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


def _printable(text: str) -> str:
    """Return a text; of its characters, those that are not printable are escaped."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}

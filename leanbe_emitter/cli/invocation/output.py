"""The output on stdout: a table, plain columns, one JSON document, or a stream of documents.

Commands pass documents (JSON objects) and the columns for people. ``json`` and ``jsonl`` print
whole documents; ``plain`` prints the columns in full, and ``table`` shortens them. Control
characters in texts from outside never reach a terminal.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

#: A JSON object.
Document = Mapping[str, Any]

# Control characters, line separators, marks that reverse the direction, and lone surrogates.
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: How many characters of an id's end are shown.
ID_ENDING = 6


class OutputFormat(StrEnum):
    """The format of the output."""

    #: Columns with a header, for a terminal.
    TABLE = "table"
    #: The same columns, tab-separated; no header, no colour.
    PLAIN = "plain"
    #: One JSON document.
    JSON = "json"
    #: One JSON document a line, each at once.
    JSONL = "jsonl"


def abbreviated(identifier: str) -> str:
    """Return the unique end of an id, as lines and tables show it: ``…a2e421``."""
    return f"…{identifier[-ID_ENDING:]}" if len(identifier) > ID_ENDING else identifier


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its title, its value in a document, and how a table shortens the value."""

    title: str
    of: Callable[[Document], object]
    short: Callable[[str], str] = str


def column(key: str, *, title: str | None = None, short: Callable[[str], str] = str) -> Column:
    """Return the column of a document's member; a dot separates nested members."""
    return Column(title=title or key, of=lambda document: _member(document, key), short=short)


def _member(document: Document, key: str) -> object:
    value: object = document
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def print_rows(
    output_format: OutputFormat, documents: Iterable[Document], *, columns: Sequence[Column]
) -> None:
    """Print a list of documents."""
    if output_format is OutputFormat.JSON:
        _print(_json(list(documents), indent=2))
    elif output_format is OutputFormat.TABLE:
        _print_table(
            [(each.title, _least_width(each)) for each in columns],
            [[each.short(cell(each.of(document))) for each in columns] for document in documents],
        )
    else:
        for document in documents:
            print_row(output_format, document, columns=columns)


def print_row(
    output_format: OutputFormat, document: Document, *, columns: Sequence[Column]
) -> None:
    """Print one document of a stream as one line, at once.

    An endless stream cannot be one document: ``json`` prints it as ``jsonl`` does.
    """
    if output_format in {OutputFormat.JSON, OutputFormat.JSONL}:
        _print(json_line(document))
    else:
        _print("\t".join(cell(each.of(document)) for each in columns))


def print_document(
    output_format: OutputFormat, document: Document, *, columns: Sequence[Column]
) -> None:
    """Print one document: a table has a line for each column with a value."""
    if output_format is OutputFormat.JSON:
        _print(_json(document, indent=2))
    elif output_format is OutputFormat.TABLE:
        pairs = [[each.title, cell(each.of(document))] for each in columns]
        _print_table([], [pair for pair in pairs if pair[1]])
    else:
        print_row(output_format, document, columns=columns)


def print_labelled(
    output_format: OutputFormat, document: Document, *, columns: Sequence[Column]
) -> None:
    """Print one document as ``print_document`` does, but ``plain`` has a line for each column."""
    if output_format is OutputFormat.PLAIN:
        for each in columns:
            _print(f"{each.title}\t{cell(each.of(document))}")
    else:
        print_document(output_format, document, columns=columns)


def json_line(document: Document) -> str:
    """Return a document as a line of ``jsonl``."""
    return _json(document)


class Batch:
    """Lines that are printed together, by one write."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Add a line."""
        self._lines.append(line)

    def print(self) -> None:
        """Print the lines that were added since the last time."""
        lines, self._lines = self._lines, []
        if lines:
            _print("\n".join(lines))


def are_discarded(*streams: IO[str]) -> bool:
    """Return whether all these streams are the null device."""
    try:
        null = Path(os.devnull).stat()
        return all(os.path.samestat(os.fstat(each.fileno()), null) for each in streams)
    except OSError:  # a stream without a file descriptor
        return False


def print_text(line: str) -> None:
    """Print text unchanged: hex, a secret, a script."""
    _print(line)


def print_bytes(content: bytes) -> None:
    """Print bytes unchanged, without a new line after them."""
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def format_instant(moment: datetime) -> str:
    """Return an instant as documents write it: ``2026-11-24T14:02:11.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_status(status: int) -> str:
    """Return a status with its standard phrase, if it has one: ``401 Unauthorized``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def format_time_of_day(moment: datetime) -> str:
    """Return the local time: ``14:02:11``."""
    return _time_of_day(int(moment.timestamp()))


# Many lines have the same second, and the system's time zones are slow.
@lru_cache(maxsize=16)
def _time_of_day(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC).astimezone():%H:%M:%S}"


def format_local_time(text: str) -> str:
    """Return an instant in a table's local time: ``11-24 14:02:11``."""
    return f"{datetime.fromisoformat(text).astimezone():%m-%d %H:%M:%S}" if text else ""


def cell(value: object) -> str:
    """Return a value as the text of one cell: no tab, no new line, no control character."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={cell(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(cell(each) for each in value)
    return printable(value if isinstance(value, str) else str(value))


def printable(line: str) -> str:
    """Return text with control characters as escapes, so that no terminal obeys them."""
    return _CONTROL_CHARACTERS.sub(lambda match: match[0].encode("unicode_escape").decode(), line)


def _json(document: object, *, indent: int | None = None) -> str:
    # A lone surrogate cannot be printed: a document with one is printed in ASCII.
    separators = (",", ":") if indent is None else None
    whole = json.dumps(document, ensure_ascii=False, indent=indent, separators=separators)
    try:
        whole.encode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, separators=separators)
    return whole


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _least_width(column: Column) -> int | None:
    """Return the least width of a column: a truncated id would be useless."""
    return ID_ENDING + 1 if column.short is abbreviated else None


def _print_table(titles: Sequence[tuple[str, int | None]], cells: Sequence[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415 - only a table needs it
    from rich.console import Console  # noqa: PLC0415 - only a table needs it
    from rich.table import Table  # noqa: PLC0415 - only a table needs it
    from rich.text import Text  # noqa: PLC0415 - only a table needs it

    table = Table(box=box.SIMPLE_HEAD, show_header=bool(titles), pad_edge=False)
    *others, (last, _) = titles or (("", None), ("", None))
    for title, least_width in others:
        table.add_column(title, no_wrap=True, min_width=least_width)
    table.add_column(last, overflow="fold")
    for line in cells:
        table.add_row(*(Text(each) for each in line))
    Console(highlight=False).print(table)

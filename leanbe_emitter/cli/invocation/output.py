"""The output on stdout: a table, plain columns, one JSON document, or a stream of documents.

Commands pass documents (JSON objects) and the columns for people. ``json`` and ``jsonl`` print
whole documents; ``plain`` prints the columns in full, and ``table`` shortens them. Control
characters in texts from outside never reach a terminal.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from leanbe_emitter.cli.invocation.terminal import Terminal, colour_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

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
    """One column.

    Attributes:
        title: the header in a table.
        of: takes the value from a document.
        short: shortens the text of the value in a table.
        is_cut: whether a narrow table cuts this column, and none of the others.
        is_status: whether the value is an outcome or a status, which a terminal shows in colour.
    """

    title: str
    of: Callable[[Document], object]
    short: Callable[[str], str] = str
    is_cut: bool = False
    is_status: bool = False


def column(
    key: str,
    *,
    title: str | None = None,
    short: Callable[[str], str] = str,
    is_cut: bool = False,
    is_status: bool = False,
) -> Column:
    """Return the column of a document's member; a dot separates nested members."""
    return Column(
        title=title or key,
        of=lambda document: _member(document, key),
        short=short,
        is_cut=is_cut,
        is_status=is_status,
    )


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
        print_text(json_text(list(documents), indent=2))
    elif output_format is OutputFormat.TABLE:
        _print_columns(list(documents), columns)
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
        print_text(json_text(document))
    else:
        print_text("\t".join(cell(each.of(document)) for each in columns))


def print_document(
    output_format: OutputFormat, document: Document, *, columns: Sequence[Column]
) -> None:
    """Print one document: a table has a line for each column with a value."""
    if output_format is OutputFormat.JSON:
        print_text(json_text(document, indent=2))
    elif output_format is OutputFormat.TABLE:
        _print_pairs(document, columns)
    else:
        print_row(output_format, document, columns=columns)


def print_labelled(
    output_format: OutputFormat, document: Document, *, columns: Sequence[Column]
) -> None:
    """Print one document as ``print_document`` does, but ``plain`` has a line for each column."""
    if output_format is OutputFormat.PLAIN:
        for each in columns:
            print_text(f"{each.title}\t{cell(each.of(document))}")
    else:
        print_document(output_format, document, columns=columns)


def json_text(document: object, *, indent: int | None = None) -> str:
    """Return a document as JSON: by default in one line, as ``jsonl`` has it."""
    # A lone surrogate cannot be printed: a document with one is printed in ASCII.
    separators = (",", ":") if indent is None else None
    whole = json.dumps(document, ensure_ascii=False, indent=indent, separators=separators)
    try:
        whole.encode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, separators=separators)
    return whole


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
            print_text("\n".join(lines))


def are_discarded(*streams: IO[str]) -> bool:
    """Return whether all these streams are the null device."""
    try:
        null = Path(os.devnull).stat()
        return all(os.path.samestat(os.fstat(each.fileno()), null) for each in streams)
    except OSError:  # a stream without a file descriptor
        return False


def print_text(line: str) -> None:
    """Print text unchanged: hex, a secret, a script."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


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


def format_local_time(text: str, *, now: datetime | None = None) -> str:
    """Return an instant in a table's local time: ``11-24 14:02:11``; today ``14:02:11``."""
    if not text:
        return ""
    moment = datetime.fromisoformat(text).astimezone()
    is_today = now is not None and moment.date() == now.astimezone().date()
    return f"{moment:%H:%M:%S}" if is_today else f"{moment:%m-%d %H:%M:%S}"


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


def json_lines(value: object) -> Iterator[str]:
    """Yield the lines of an indented JSON value; no terminal obeys them."""
    yield from map(printable, json.dumps(value, ensure_ascii=False, indent=2).split("\n"))


def body_lines(body: str) -> Iterator[str]:
    """Yield the lines of a body: indented if it is JSON, else as it is."""
    try:
        value = json.loads(body)
    except ValueError:
        yield from map(printable, body.splitlines())
    else:
        yield from json_lines(value)


def _print_columns(documents: Sequence[Document], columns: Sequence[Column]) -> None:
    """Print a table with a header; a narrow one cuts the columns that say so, or folds the last.

    A column without any value is left out.
    """
    filled = [
        (each, texts)
        for each in columns
        if any(texts := [each.short(cell(each.of(document))) for document in documents])
    ]
    shown = filled or [(each, []) for each in columns]
    table = _new_table(has_header=True)
    has_cut = any(each.is_cut for each, _ in shown)
    for each, texts in shown:
        is_folded = not has_cut and each is shown[-1][0]
        table.add_column(
            each.title,
            no_wrap=not is_folded,
            overflow="fold" if is_folded else "ellipsis",
            min_width=_width(each, texts) if has_cut and not each.is_cut else _least_width(each),
        )
    for cells in zip(
        *([_styled(text, each) for text in texts] for each, texts in shown), strict=True
    ):
        table.add_row(*cells)
    _print_table(table)


def _print_pairs(document: Document, columns: Sequence[Column]) -> None:
    """Print a table of titles and values; a value that is empty has no line."""
    table = _new_table(has_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in columns:
        if value := cell(each.of(document)):
            table.add_row(each.title, _styled(value, each))
    _print_table(table)


def _width(column: Column, texts: Sequence[str]) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - only a table needs it

    return max(map(cell_len, [column.title, *texts]))


def _least_width(column: Column) -> int | None:
    """Return the least width of a column: a truncated id would be useless."""
    return ID_ENDING + 1 if column.short is abbreviated else None


def _new_table(*, has_header: bool) -> "Table":
    from rich import box  # noqa: PLC0415 - only a table needs it
    from rich.table import Table  # noqa: PLC0415 - only a table needs it

    return Table(box=box.SIMPLE_HEAD, show_header=has_header, pad_edge=False, collapse_padding=True)


def _styled(text: str, column: Column) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - only a table needs it

    return Text(text, style=colour_of(text) if column.is_status else "")


def _print_table(table: "Table") -> None:
    from rich.console import Console  # noqa: PLC0415 - only a table needs it

    # Without a colour system, rich also leaves out bold titles.
    has_colour = Terminal.of(sys.stdout).has_colour
    Console(highlight=False, color_system="auto" if has_colour else None).print(table)

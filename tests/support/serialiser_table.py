"""Outputs of real serialisers for payload texts, from ``data/serialisers/table.json``."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "serialisers"
TABLE: dict[str, Any] = json.loads((FOLDER / "table.json").read_text(encoding="ascii"))


@dataclass(frozen=True, kw_only=True)
class Row:
    """The output of one serialiser for one payload text.

    Attributes:
        serialiser: its name.
        name: the name of the text.
        text: the payload text.
        output: what it wrote, or its SHA-256 if it is long; None if it raised an error.
    """

    serialiser: str
    name: str
    text: str
    output: str | None

    def is_made(self, written: str | None) -> bool:
        """Return whether a text is what the serialiser wrote."""
        if written is None or self.output is None:
            return written == self.output
        digest = hashlib.sha256(written.encode()).hexdigest()
        return self.output in {written, digest}


def rows() -> Iterator[Row]:
    """Yield every row of the table."""
    for entry in TABLE["texts"]:
        outputs = [(each.get("text", each.get("sha256")), each["by"]) for each in entry["outputs"]]
        for output, by in (*outputs, (None, entry["refused"])):
            for serialiser in by.split():
                yield Row(
                    serialiser=serialiser, name=entry["name"], text=entry["text"], output=output
                )

"""The README and the pages of docs/: their blocks that tests run, and the files that they show."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCS = {each.name: each.read_text() for each in sorted((ROOT / "docs").glob("*.md"))}

_SHOWN = "\n".join([README, *DOCS.values()])

#: The marked blocks: name, language and text (``<!-- run: name -->``).
BLOCKS: list[tuple[str, str, str]] = re.findall(
    r"<!-- run: ([a-z ]+) -->\n```(\w+)\n(.*?)```", _SHOWN, re.DOTALL
)
#: The shown files, by their path from the root (``<!-- file: path -->``).
FILES: dict[str, str] = dict(
    re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", _SHOWN, re.DOTALL)
)


def marked_block(name: str) -> str:
    """Return the text of a marked block."""
    return next(text for each, _, text in BLOCKS if each == name)

"""The README and its page on the server, taken apart: blocks that are run, files that are shown."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SERVER = (ROOT / "docs" / "server.md").read_text()

#: The marked blocks: name, language and text (``<!-- run: name -->``).
BLOCKS: list[tuple[str, str, str]] = re.findall(
    r"<!-- run: ([a-z ]+) -->\n```(\w+)\n(.*?)```", README + SERVER, re.DOTALL
)
#: The files that it shows, by their path from the root (``<!-- file: path -->``).
FILES: dict[str, str] = dict(
    re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)
)


def block(name: str) -> str:
    """Return the text of a marked block."""
    return next(text for each, _, text in BLOCKS if each == name)

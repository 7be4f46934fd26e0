"""Read a list of JSON texts on stdin; print what Python's serialisers make of each, in base64."""

import base64
import json
import platform
import sys
from collections.abc import Callable
from typing import Any

COMPACT = (",", ":")
WAYS: dict[str, Callable[[Any], str]] = {
    "python-str": str,
    "python-dumps": json.dumps,
    "python-dumps-unicode": lambda p: json.dumps(p, ensure_ascii=False),
    "python-dumps-compact": lambda p: json.dumps(p, separators=COMPACT),
    "python-dumps-compact-unicode": lambda p: json.dumps(p, separators=COMPACT, ensure_ascii=False),
    "python-dumps-sorted": lambda p: json.dumps(p, sort_keys=True),
    "python-dumps-sorted-unicode": lambda p: json.dumps(p, sort_keys=True, ensure_ascii=False),
    "python-dumps-sorted-compact": lambda p: json.dumps(p, sort_keys=True, separators=COMPACT),
    "python-dumps-sorted-compact-unicode": lambda p: json.dumps(
        p, sort_keys=True, separators=COMPACT, ensure_ascii=False
    ),
    "python-dumps-indent-2": lambda p: json.dumps(p, indent=2),
    "python-dumps-indent-2-unicode": lambda p: json.dumps(p, indent=2, ensure_ascii=False),
    "python-dumps-indent-4": lambda p: json.dumps(p, indent=4),
    "python-dumps-indent-4-unicode": lambda p: json.dumps(p, indent=4, ensure_ascii=False),
}


def written(way: Callable[[Any], str], text: str) -> str | None:
    """Return what one way makes of a text; None if it raises an error."""
    try:
        return base64.b64encode(way(json.loads(text)).encode()).decode()
    except (ValueError, TypeError):
        return None


texts = json.load(sys.stdin)
rows = {name: [written(way, text) for text in texts] for name, way in WAYS.items()}
print(json.dumps({"version": f"Python {platform.python_version()}", "rows": rows}))

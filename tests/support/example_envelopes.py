"""The 22 envelopes of one story, from ``data/examples.json``."""

import json
from pathlib import Path
from typing import Any

_DATA: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "examples.json").read_text(encoding="utf-8")
)

SECRET: str = _DATA["secret"]
ENVELOPES: list[dict[str, Any]] = _DATA["envelopes"]
#: The SHA-256 of each envelope's compact body, in the envelopes' order.
BODY_SHA256: list[str] = _DATA["bodySha256"]

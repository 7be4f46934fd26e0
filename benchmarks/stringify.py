"""What ``stringify`` costs beside ``json.dumps``, on the article's customer payload.

The goal is at most 3 times: being exact must not be what limits a worker.
"""

import json
from collections.abc import Callable
from pathlib import Path
from timeit import repeat
from typing import Any

from leanbe_emitter import stringify

_CALLS = 5_000
_ROUNDS = 9
_PAYLOAD = Path(__file__).parents[1] / "tests" / "data" / "article-customer.json"


def main() -> None:
    """Print both times and their ratio; plain, with accents, and with numbers to write exactly."""
    customer = json.loads(_PAYLOAD.read_text(encoding="utf-8"))
    accents = customer | {"firstName": "Zoë", "city": "東京"}
    _print("the article's customer", customer)
    _print("with accents", accents)
    _print("with a price of 19.99 (the exact way)", customer | {"price": 19.99})


def _print(name: str, payload: Any) -> None:
    ours, theirs = _microseconds(stringify, payload), _microseconds(json.dumps, payload)
    print(
        f"stringify / json.dumps  {ours / theirs:4.1f}x  ({ours:.1f} µs / {theirs:.1f} µs)  {name}"
    )


def _microseconds(write: Callable[[Any], str], payload: Any) -> float:
    """Return what one call costs in the quickest of some rounds, the others being disturbed."""
    return min(repeat(lambda: write(payload), number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


if __name__ == "__main__":
    main()

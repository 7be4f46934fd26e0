"""Compare a payload with an expected part of it, and describe the differences.

An object may have more members than expected. An array has exactly the expected elements, each of
which may have more members. All other values are equal; True is not 1. An expected value may be an
object with its own comparison (``pytest.approx``, ``unittest.mock.ANY``).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from leanbe_emitter.wire.did_you_mean import did_you_mean

_LONGEST_SHOWN = 60


def differences(expected: Any, actual: Any) -> list[str]:
    """Return the differences as texts; empty if ``actual`` is as expected.

    Args:
        expected: a part of a payload.
        actual: a payload, as JSON values.
    """
    return list(_differences(expected, actual, ""))


def _differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        yield from _of_members(expected, actual, path)
    elif isinstance(expected, list | tuple) and isinstance(actual, list):
        yield from _of_elements(expected, actual, path)
    elif not _is_equal(expected, actual):
        yield f"{path or 'payload'}: expected {_shown(expected)}, got {_shown(actual)}"


def _of_members(expected: Mapping[str, Any], actual: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in expected.items():
        below = f"{path}.{key}" if path else key
        if key in actual:
            yield from _differences(value, actual[key], below)
        else:
            hint = did_you_mean(key, actual, limit=1)
            yield f"{below}: expected {_shown(value)}, and it is missing. {hint}".rstrip()


def _of_elements(
    expected: list[Any] | tuple[Any, ...], actual: list[Any], path: str
) -> Iterator[str]:
    if len(expected) != len(actual):
        yield f"{path or 'payload'}: expected {len(expected)} elements, got {len(actual)}"
        return
    for index, (each, other) in enumerate(zip(expected, actual, strict=True)):
        yield from _differences(each, other, f"{path}[{index}]")


def _is_equal(expected: Any, actual: Any) -> bool:
    if isinstance(expected, bool | int | float) and (
        isinstance(expected, bool) is not isinstance(actual, bool)
    ):
        return False
    return bool(expected == actual)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."

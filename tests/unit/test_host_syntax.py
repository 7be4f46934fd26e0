"""Syntax of hosts: a name or an address, alone."""

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.host_syntax import parse_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", "localhost"),
        ("Leanbe.Example", "leanbe.example"),
        ("leanbe.example.", "leanbe.example"),
        ("leanbe_emitter", "leanbe_emitter"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("FD00::7", "fd00::7"),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "*",
        "*.leanbe.example",
        "http://127.0.0.1",
        "http://leanbe.example/",
        "localhost:5326",
        "[::1]",
        "leanbe.example/leanbe",
        "leanbe example",
        "bücher.example",
        "127.1",
        "300.0.0.1",
        "a" * 64,
        "a\nb",
    ],
)
def test_a_text_that_is_more_than_a_host_or_less_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is no host") as refused:
        parse_host(text)
    assert repr(text) in refused.value.message
    assert "leanbe.example" in refused.value.hint

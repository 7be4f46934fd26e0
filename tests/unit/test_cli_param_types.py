"""The grammar of option values: one for every command."""

import io
import os
from pathlib import Path

import click
import pytest

from leanbe_emitter.cli.invocation import param_types


def read(kind: "click.ParamType[object]", text: str) -> object:
    return kind.convert(text, None, None)


def test_a_secret_is_text_a_variable_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "from the variable")
    file = tmp_path / "secret"
    assert read(param_types.SECRET, "whsec_test") == "whsec_test"
    assert read(param_types.SECRET, "env:HOOK_SECRET") == "from the variable"
    for content, secret in [
        (b"a\n", "a"),
        (b"a\r\n", "a"),
        (b"a\n\n", "a\n"),
        (b"a \n", "a "),
        (b"a \r\n", "a "),
        (b"a\r", "a\r"),
    ]:
        file.write_bytes(content)
        assert read(param_types.SECRET, f"@{file}") == secret


@pytest.mark.parametrize("text", ["", "env:NO_SUCH_VARIABLE_HERE", "@no/such/file"])
def test_a_secret_that_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        read(param_types.SECRET, text)


def test_a_secret_file_that_is_no_text_is_refused_without_being_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"hidden\xff")
    with pytest.raises(click.BadParameter) as refused:
        read(param_types.SECRET, f"@{file}")
    assert "hidden" not in refused.value.message


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        (param_types.PATH_AND_TEXT, b"title=\xc3\xa9\xff", "The value of 'title'"),
        (param_types.PATH_AND_JSON, b'title="\xc3\xa9\xff"', "The value of 'title'"),
        (param_types.PATH_AND_TEXT, b"\xc3\xa9\xff=x", "The path"),
        (param_types.SECRET, b"\xc3\xa9\xff", "The secret"),
        (param_types.SECRET, b"env:HOOK_SECRET", "The variable 'HOOK_SECRET'"),
    ],
)
def test_bytes_that_are_no_utf8_are_refused(
    kind: "click.ParamType[object]", text: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", os.fsdecode(b"\xc3\xa9\xff"))
    with pytest.raises(click.BadParameter) as refused:
        read(kind, os.fsdecode(text))
    at = 3 if kind is param_types.PATH_AND_JSON else 2
    assert refused.value.message.startswith(f"{name} is not UTF-8: byte {at} is wrong (0xff).")


def test_content_is_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "body").write_bytes(b"\xff\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    assert read(param_types.CONTENT, f"@{tmp_path / 'body'}") == b"\xff\n"
    assert read(param_types.CONTENT, "-") == b"typed"
    with pytest.raises(click.BadParameter, match="neither @FILE nor -"):
        read(param_types.CONTENT, "body.json")


def test_a_path_keeps_what_follows_its_first_equals_sign() -> None:
    assert read(param_types.PATH_AND_TEXT, "title=a=b ") == ("title", "a=b ")
    assert read(param_types.PATH_AND_TEXT, "title=") == ("title", "")
    assert read(param_types.PATH_AND_JSON, 'tags=[{"title": 1.0}]') == ("tags", [{"title": 1.0}])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (param_types.PATH_AND_TEXT, "title"),
        (param_types.PATH_AND_TEXT, "=text"),
        (param_types.PATH_AND_JSON, "title=text"),
        (param_types.PATH_AND_JSON, "a=" + "[" * 100_000),
        (param_types.HEADER, "X-Name"),
        (param_types.HEADER, ":value"),
        (param_types.HEADER, "X-Name: a\r\nb"),
        (param_types.DURATION, "soon"),
        (param_types.AGE, "30"),
        (param_types.AGE, "1.5"),
        (param_types.ASSIGNMENT, "max_atempts=1"),
        (param_types.ROOT_PATH, "leanbe"),
        (param_types.ROOT_PATH, "//leanbe.example/"),
        (param_types.ROOT_PATH, "/leanbe?a=b"),
    ],
)
def test_an_invalid_value_is_refused(kind: "click.ParamType[object]", text: str) -> None:
    with pytest.raises(click.BadParameter):
        read(kind, text)


def test_headers_durations_and_assignments_are_read() -> None:
    assert read(param_types.HEADER, "X-Env: a:b") == ("X-Env", "a:b")
    assert read(param_types.DURATION, "2m") == 120
    assert read(param_types.AGE, "2m") == 120
    assert read(param_types.ASSIGNMENT, "max_attempts=1") == ("max_attempts", "1")


def test_a_proxys_path_ends_without_a_slash() -> None:
    assert read(param_types.ROOT_PATH, "/leanbe/") == "/leanbe"
    assert read(param_types.ROOT_PATH, "/a/leanbe") == "/a/leanbe"
    assert read(param_types.ROOT_PATH, "/") == ""

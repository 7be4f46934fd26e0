"""The types of parameters: secrets, files, ``NAME=VALUE``, headers, durations.

This module parses every value that is more than a word, so all commands share one grammar. A
refused value is a usage error that names the option.
"""

import csv
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from leanbe_emitter.clock import RANGE
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.header_rules import check_header
from leanbe_emitter.host_syntax import parse_host
from leanbe_emitter.settings import PREFIX
from leanbe_emitter.target_rules import parse_only_targets, parse_targets
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS
from leanbe_emitter.wire.assumptions.parsing import parse_assignment
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.event_names import EVENTS
from leanbe_emitter.wire.instants import parse_given_instant, parse_since
from leanbe_emitter.wire.stringify import JSON, parse_given

if TYPE_CHECKING:
    from datetime import datetime

    from leanbe_emitter.seeds import Seed

#: A path of a URL: no host, no query.
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)+")

#: The characters into which Python turns a byte that is no UTF-8: the byte is their end.
_FIRST_BYTE, _LAST_BYTE = "\udc80", "\udcff"

#: The name of a variable of a shell.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


#: The beginning of JSON that is no text: to quotes it would add others.
_BEGINS_LIKE_JSON = re.compile(r'\s*(?:[\[{"]|-?[0-9]|-?Infinity|NaN)')
_QUOTES = "Text needs quotes ('\"text\"'); --set takes text without quotes."


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
    _TextParamType = click.ParamType[str]
else:  # click 8.1's class takes no type argument
    _ParamType = _TextParamType = click.ParamType


class _ParsedType(_ParamType):
    """A type that one function parses; the function's errors become usage errors."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of the text."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except LeanbeError as error:
            self.fail(f"{error.message}\n{error.hints.command}".rstrip(), param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _read_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ValueError(f"{name!r} cannot be read: {error.strerror}.") from None


def _content(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if text.startswith("@"):
        return _read_file(text[1:])
    raise ValueError(f"{text!r} is neither @FILE nor - (standard input).")


def _secret(text: str) -> str:
    secret = _secret_text(text)
    if not secret:
        raise ValueError("The secret is empty.")
    return secret


def _secret_text(text: str) -> str:
    _require_utf8(text, name="The secret")
    if text.startswith("@"):
        return _decoded(text[1:], _read_file(text[1:]))
    if not text.startswith("env:"):
        return text
    name = text.removeprefix("env:")
    if name not in os.environ:
        raise ValueError(f"The variable {name!r} is not set.")
    _require_utf8(os.environ[name], name=f"The variable {name!r}")
    return os.environ[name]


def _require_utf8(text: str, *, name: str) -> None:
    """Refuse bytes of the system that are no UTF-8; Python turns each into half a character.

    Args:
        text: a word of the command line, or a variable.
        name: how the message names it; the text itself may be a secret.
    """
    for position, character in enumerate(text):
        if _FIRST_BYTE <= character <= _LAST_BYTE:
            before = len(os.fsencode(text[:position]))
            raise ValueError(
                f"{name} is not UTF-8: byte {before} is wrong (0x{ord(character) & 0xFF:02x}).\n"
                "Is another encoding set in the terminal or the script?"
            )


def _decoded(name: str, content: bytes) -> str:
    # An editor ends a file with one new line, which is not part of the secret.
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name!r} is no text in UTF-8.") from None
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise ValueError(f"{text!r} has no '=': write it as PATH=VALUE.")
    _require_utf8(name, name="The path")
    _require_utf8(value, name=f"The value of {name.strip()!r}")
    return name.strip(), value


def _pair_of_json(text: str) -> tuple[str, JSON]:
    path, value = _pair(text)
    try:
        return path, parse_given(value)
    except LeanbeError as error:
        hint = error.hint if _BEGINS_LIKE_JSON.match(value) else _QUOTES
        raise ValueError(f"{error.message}\n{hint}".rstrip()) from None


def _header(text: str) -> tuple[str, str]:
    return check_header(*_received_header(text))


def _received_header(text: str) -> tuple[str, str]:
    """Return a header that another program sent, whatever it is."""
    name, sign, value = text.partition(":")
    if not sign or not name.strip():
        # The text is not shown: a header may contain a token.
        raise ValueError("A header needs a name and a ':': write it as NAME:VALUE.")
    return name.strip(), value.strip(" \t")


def _texts(line: str) -> list[str]:
    """Return texts between commas; double quotes enclose a text with a comma."""
    try:
        (texts,) = csv.reader([line], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ValueError(f"{line!r} is not a list of texts between commas: {error}.") from None
    return [text.strip() for text in texts]


def _title_and_number(text: str) -> tuple[str, JSON]:
    """Return a title and the number after its last ``=``."""
    title, _, number = text.rpartition("=")
    try:
        value = parse_given(number)
    except LeanbeError:
        value = None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not title.strip() or not is_number:
        raise ValueError(f"{text!r} is not TITLE=NUMBER, such as Activation=60.")
    return title.strip(), value


def _root_path(text: str) -> str:
    """Return a path without a slash at its end; the root is the empty text."""
    path = text.rstrip("/")
    if path and not _ROOT_PATH.fullmatch(path):
        raise ValueError(f"{text!r} is not a path: write it like /leanbe.")
    return path


def _secrets_variable(text: str) -> str:
    """Return the name of a variable that can hold a secret."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a name of a variable: write it like WEBHOOK_SECRET.")
    if text == "PATH":
        raise ValueError("PATH cannot hold the secret: the system finds commands by it.")
    if text.startswith(PREFIX):
        raise ValueError(
            f"{text} cannot hold the secret: {PREFIX}* are settings of leanbe-emitter."
        )
    return text


def _seed(name: str) -> "Seed":
    from leanbe_emitter.seeds import read_seed  # noqa: PLC0415 - loads YAML and the domain

    return read_seed(name)


#: The formats of a report of ``check``.
REPORTS = ("json", "junit", "markdown", "github")


def _report(text: str) -> tuple[str, str]:
    name, _, file = text.partition("=")
    if name not in REPORTS:
        raise ValueError(f"{name!r} is no format of a report: {', '.join(REPORTS)}.")
    return name, file


def _move(text: str) -> "float | datetime | str":
    """Return how far a clock moves in seconds, or to which instant, or ``next``."""
    if text == "next":
        return text
    if "t" in text.lower():
        return parse_given_instant(text, within=RANGE)
    return parse_duration(text, needs_unit=True)


SECRET = _ParsedType("secret", _secret)
CONTENT = _ParsedType("@file|-", _content)
DURATION = _ParsedType("duration", parse_duration)
AGE = _ParsedType("duration", partial(parse_duration, needs_unit=True))
SINCE = _ParsedType("duration|instant", parse_since)
MOVE = _ParsedType("duration|instant|next", _move)
CLOCK_TIME = _ParsedType("instant", partial(parse_given_instant, within=RANGE))
ASSIGNMENT = _ParsedType("name=value", parse_assignment)
PATH_AND_TEXT = _ParsedType("path=text", _pair)
PATH_AND_JSON = _ParsedType("path=json", _pair_of_json)
HEADER = _ParsedType("name:value", _header)
RECEIVED_HEADER = _ParsedType("name:value", _received_header)
TITLE_AND_NUMBER = _ParsedType("title=number", _title_and_number)
SECRETS_VARIABLE = _ParsedType("name", _secrets_variable)
ROOT_PATH = _ParsedType("path", _root_path)
HOST = _ParsedType("host", parse_host)
TARGETS = _ParsedType("host,cidr", parse_targets)
ONLY_TARGETS = _ParsedType("host,cidr", parse_only_targets)
SEED = _ParsedType("file", _seed)
TEXTS = _ParsedType("text,text", _texts)


class CompletedName(_TextParamType):
    """A name that the shell completes; the library checks it."""

    def __init__(self, kind: str, meanings: Mapping[str, str]) -> None:
        self.name = kind
        self._meanings = meanings

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> "list[CompletionItem[str]]":  # click 8.1's class takes no type argument
        """Return the names with this beginning, and their meanings."""
        return [
            CompletionItem(name, help=meaning)
            for name, meaning in self._meanings.items()
            if name.startswith(incomplete)
        ]


EVENT = CompletedName("event", {event.name: event.meaning for event in EVENTS})
REPORT = _ParsedType("format=file", _report)


class _AssumptionName(CompletedName):
    """The name of an assumption, without a value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse ``NAME=VALUE``, which ``--assume`` takes."""
        name, sign, text = str(value).partition("=")
        if sign:
            self.fail(
                f"{value!r} is more than a name.\nWrite name and value apart: {name} {text}",
                param,
                ctx,
            )
        return value


class WholeNumber(click.IntRange):
    """A whole number; click would call it an "integer range"."""

    name = "whole number"


ASSUMPTION = _AssumptionName(
    "name", {each.name: each.question for each in ASSUMPTIONS if each.name}
)


def as_mapping(pairs: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    """Return repeated ``NAME=VALUE`` as one mapping; the last value of a name wins."""
    return dict(pairs)

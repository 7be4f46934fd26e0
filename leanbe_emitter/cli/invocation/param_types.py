"""How option values are written: secrets, files, ``NAME=VALUE``, headers, durations.

Every value of the command line that is more than a word is read here, so that one grammar holds in
every command. What is refused is a usage error that names the option.
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
from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.headers import check_header
from leanbe_emitter.hosts import parse_host
from leanbe_emitter.settings import PREFIX
from leanbe_emitter.targets import parse_targets
from leanbe_emitter.wire.assumptions.lookup import ASSUMPTIONS, parse_assignment
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.event_names import EVENTS
from leanbe_emitter.wire.instants import parse_given_instant
from leanbe_emitter.wire.since import parse_since
from leanbe_emitter.wire.stringify import JSON, parse_given

if TYPE_CHECKING:
    from leanbe_emitter.seeds import Seed

#: A path as it stands in a URL: no host, no query.
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)+")

#: What shells take for the name of a variable.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Value(click.ParamType[Any]):
    """A type made of one function from text; what it raises becomes a usage error."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text stands for."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
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
    if text.startswith("@"):
        return _decoded(text[1:], _read_file(text[1:]))
    if not text.startswith("env:"):
        return text
    name = text.removeprefix("env:")
    if name not in os.environ:
        raise ValueError(f"The variable {name!r} is not set.")
    return os.environ[name]


def parse_json(content: bytes) -> JSON:
    """Return the JSON value that a file's bytes hold.

    Raises:
        InvalidValue: they are no UTF-8, or no JSON.
    """
    try:
        return parse_given(content.decode())
    except UnicodeDecodeError as error:
        raise InvalidValue(
            f"The file is no UTF-8: byte {error.start} is wrong.", hint="JSON is always UTF-8."
        ) from None


def _decoded(name: str, content: bytes) -> str:
    # An editor ends a file with one new line that is not part of the secret.
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name!r} is no text in UTF-8.") from None
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise ValueError(f"{text!r} has no '=': write it as PATH=VALUE.")
    return name.strip(), value


def _pair_of_json(text: str) -> tuple[str, JSON]:
    path, value = _pair(text)
    try:
        return path, parse_given(value)
    except LeanbeError as error:
        raise ValueError(
            f"{error.message}\nText needs quotes ('\"text\"'); --set takes it without."
        ) from None


def _header(text: str) -> tuple[str, str]:
    return check_header(*_received_header(text))


def _received_header(text: str) -> tuple[str, str]:
    """Return a header that somebody else wrote, whatever it is."""
    name, sign, value = text.partition(":")
    if not sign or not name.strip():
        # Not shown: a header may hold a token.
        raise ValueError("A header needs a name and a ':': write it as NAME:VALUE.")
    return name.strip(), value.strip(" \t")


def _texts(line: str) -> list[str]:
    """Return texts between commas; one that holds a comma stands in double quotes."""
    try:
        (texts,) = csv.reader([line], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ValueError(f"{line!r} is no list of texts between commas: {error}.") from None
    return [text.strip() for text in texts]


def _title_and_number(text: str) -> tuple[str, JSON]:
    """Return a title and the number behind its last ``=``."""
    title, _, number = text.rpartition("=")
    try:
        value = parse_given(number)
    except LeanbeError:
        value = None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not title.strip() or not is_number:
        raise ValueError(f"{text!r} is no TITLE=NUMBER, such as Activation=60.")
    return title.strip(), value


def _root_path(text: str) -> str:
    """Return a path without a slash at its end; the root itself is the empty text."""
    path = text.rstrip("/")
    if path and not _ROOT_PATH.fullmatch(path):
        raise ValueError(f"{text!r} is no path: write it like /leanbe.")
    return path


def _secrets_variable(text: str) -> str:
    """Return the name of a variable that a secret may stand in."""
    if not _VARIABLE.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a variable: write it like WEBHOOK_SECRET.")
    if text == "PATH":
        raise ValueError("PATH cannot hold the secret: commands are found by it.")
    if text.startswith(PREFIX):
        raise ValueError(f"{text} cannot hold the secret: what begins so is ours.")
    return text


def _seed(name: str) -> "Seed":
    from leanbe_emitter.seeds import read_seed  # noqa: PLC0415 - loads YAML and the domain

    return read_seed(name)


SECRET = _Value("secret", _secret)
CONTENT = _Value("@file|-", _content)
DURATION = _Value("duration", parse_duration)
AGE = _Value("duration", partial(parse_duration, needs_unit=True))
SINCE = _Value("duration|instant", parse_since)
CLOCK_TIME = _Value("instant", partial(parse_given_instant, within=RANGE))
ASSIGNMENT = _Value("name=value", parse_assignment)
PATH_AND_TEXT = _Value("path=text", _pair)
PATH_AND_JSON = _Value("path=json", _pair_of_json)
HEADER = _Value("name:value", _header)
RECEIVED_HEADER = _Value("name:value", _received_header)
TITLE_AND_NUMBER = _Value("title=number", _title_and_number)
SECRETS_VARIABLE = _Value("name", _secrets_variable)
ROOT_PATH = _Value("path", _root_path)
HOST = _Value("host", parse_host)
TARGETS = _Value("host,cidr", parse_targets)
SEED = _Value("file", _seed)
TEXTS = _Value("text,text", _texts)


class CompletedName(click.ParamType[str]):
    """A name that the shell completes; the library says whether it is known."""

    def __init__(self, kind: str, meanings: Mapping[str, str]) -> None:
        self.name = kind
        self._meanings = meanings

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        """Return the names that begin so, with their meaning."""
        return [
            CompletionItem(name, help=meaning)
            for name, meaning in self._meanings.items()
            if name.startswith(incomplete)
        ]


EVENT = CompletedName("event", {event.name: event.meaning for event in EVENTS})
ASSUMPTION = CompletedName("name", {each.name: each.question for each in ASSUMPTIONS if each.name})


def as_mapping(pairs: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    """Return repeated ``NAME=VALUE`` as one mapping; the last of a name wins."""
    return dict(pairs)

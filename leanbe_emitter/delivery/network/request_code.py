"""A request as code that sends the same bytes: for a shell, for a test, or as it is on the wire.

A curl command pipes the body in, because one argument of a process is at most 128 KiB long. It
removes the headers that curl would add.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leanbe_emitter.delivery.network.code_forms import CodeForm
from leanbe_emitter.target_rules import Target

#: curl writes these headers itself, correctly.
_CURLS_OWN = frozenset({"host", "content-length", "connection"})
#: curl adds these headers unless the command removes them.
_UNWANTED = ("User-Agent", "Accept", "Content-Type", "Expect")


def curl(  # noqa: PLR0913 - one argument for each part of a request
    *,
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: str,
    ca_file: str | None = None,
    insecure: bool = False,
) -> str:
    """Return the command, on one line except for line breaks of the body itself.

    Args:
        method: the request's method.
        url: the request's URL.
        headers: the headers as sent.
        body: the text whose UTF-8 is the body.
        ca_file: the PEM file of trusted authorities, if not the system's.
        insecure: whether any certificate was accepted.
    """
    target = Target.of(url)
    # Ignore the user's .curlrc and proxies of the environment.
    words = ["curl", "--disable", "--noproxy", "*", "--silent", "--show-error", "--include"]
    words += ["--http1.1", "--globoff", "--path-as-is", "--request", method, *_headers(headers)]
    words += ["--cacert", ca_file] if ca_file else []
    words += ["--insecure"] if insecure else []
    words += ["--data-binary", "@-", f"{target.scheme}://{target.authority}{target.path}"]
    return f"printf %s {shlex.quote(body)} | {shlex.join(words)}"


def _headers(headers: Sequence[tuple[str, str]]) -> list[str]:
    given = {name.lower() for name, _ in headers}
    lines = [f"{name}:" for name in _UNWANTED if name.lower() not in given]
    # curl expects a name and a semicolon for a header without a value.
    lines += [
        f"{name}: {value}" if value else f"{name};"
        for name, value in headers
        if name.lower() not in _CURLS_OWN
    ]
    return [word for line in lines for word in ("--header", line)]


#: Headers that every client writes itself, correctly.
_OF_CLIENTS: Final = frozenset({"host", "content-length", "connection"})


@dataclass(frozen=True, kw_only=True)
class RequestToRepeat:
    """A request that was sent, or that will be.

    Attributes:
        event: the event's name, for the name of a test.
        method: the request's method.
        url: the request's URL.
        headers: the headers as sent.
        body: the text whose UTF-8 is the body.
        ca_file: the PEM file of trusted authorities, if not the system's.
        insecure: whether any certificate was accepted.
    """

    event: str
    method: str
    url: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: str = field(repr=False)
    ca_file: str | None
    insecure: bool

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers that a client does not write itself."""
        return {name: value for name, value in self.headers if name.lower() not in _OF_CLIENTS}


@dataclass(frozen=True, kw_only=True)
class RequestCode:
    """A request as code.

    Attributes:
        text: the code, which sends the same bytes.
        is_masked: whether ``********`` stands for the value of a header that the product set.
    """

    text: str
    is_masked: bool

    def document(self) -> dict[str, Any]:
        """Return the code as JSON."""
        return {"text": self.text, "isMasked": self.is_masked}


def code_of(request: RequestToRepeat, form: CodeForm) -> str:
    """Return the request in a form."""
    return _FORMS[form](request)


def _curl(request: RequestToRepeat) -> str:
    return curl(
        method=request.method,
        url=request.url,
        headers=request.headers,
        body=request.body,
        ca_file=request.ca_file,
        insecure=request.insecure,
    )


def _http(request: RequestToRepeat) -> str:
    first = f"{request.method} {Target.of(request.url).path} HTTP/1.1"
    head = "\r\n".join([first, *(f"{name}: {value}" for name, value in request.headers)])
    return f"{head}\r\n\r\n{request.body}"


def _pytest(request: RequestToRepeat) -> str:
    return f"""from urllib.request import Request, urlopen

URL = {request.url!r}
HEADERS = {_python(request.own_headers)}
BODY = {request.body!r}


def test_the_receiver_accepts_{_identifier(request.event)}():
    request = Request(URL, BODY.encode(), HEADERS, method={request.method!r})
    with urlopen(request, timeout=10) as answer:
        assert 200 <= answer.status < 300
"""


def _node(request: RequestToRepeat) -> str:
    return f"""import assert from "node:assert/strict";
import {{ test }} from "node:test";

const url = {_javascript(request.url)};
const headers = {_javascript(request.own_headers)};
const body = {_javascript(request.body)};

test("the receiver accepts {request.event}", async () => {{
  const answer = await fetch(url, {{ method: {_javascript(request.method)}, headers, body }});
  assert.ok(answer.ok, `The receiver answered ${{answer.status}}.`);
}});
"""


def _command(request: RequestToRepeat) -> str:
    words = ["leanbe-emitter", "send", "--to", request.url, "--body", "-", "--as-is"]
    # The bytes are signed already: the secret is not used.
    words += ["--secret", "unused", *_options(request)]
    words += ["--ca-file", request.ca_file] if request.ca_file else []
    words += ["--insecure"] if request.insecure else []
    return f"printf %s {shlex.quote(request.body)} | {shlex.join(words)}"


def _options(request: RequestToRepeat) -> Iterator[str]:
    """Yield the options for what is not as the command has it by itself."""
    if request.method != "POST":
        yield from ("--assume", f"method={request.method}")
    for name, value in request.own_headers.items():
        if name.lower() == "content-type":
            if value != "application/json":
                yield from ("--assume", f"content_type={value}")
        elif name.lower() != "user-agent":
            yield from ("--header", f"{name}:{value}")


def _identifier(event: str) -> str:
    """Return an event's name as a part of a Python name: ``idea_upVoted``."""
    return "".join(each if each.isalnum() else "_" for each in event)


def _python(headers: Mapping[str, str]) -> str:
    lines = (f"    {name!r}: {value!r}," for name, value in headers.items())
    return "\n".join(["{", *lines, "}"])


def _javascript(value: str | Mapping[str, str]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


_FORMS: Final[Mapping[CodeForm, Callable[[RequestToRepeat], str]]] = {
    CodeForm.CURL: _curl,
    CodeForm.HTTP: _http,
    CodeForm.PYTEST: _pytest,
    CodeForm.NODE: _node,
    CodeForm.COMMAND: _command,
}

"""A request as a curl command: run in a shell, it sends the same bytes.

The command pipes the body in, because one argument of a process is at most 128 KiB long. It removes
the headers that curl would add.
"""

import shlex
from collections.abc import Sequence

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

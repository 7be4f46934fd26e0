"""A request as a command for curl: typed into a shell, it sends the same bytes.

The body goes in by a pipe, because one argument of a process is at most 128 KiB long; the headers
that curl would add on its own are taken out.
"""

import shlex
from collections.abc import Sequence

from leanbe_emitter.targets import Target

#: curl writes these itself, and right.
_CURLS_OWN = frozenset({"host", "content-length", "connection"})
#: curl adds these unless it is told not to.
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
    """Return the command, in one line but for new lines of the body itself.

    Args:
        method: the request's method.
        url: where it went.
        headers: as they were sent.
        body: the text whose UTF-8 is the body.
        ca_file: whose authorities were trusted, if not the system's.
        insecure: whether certificates were not looked at.
    """
    target = Target.of(url)
    # Neither the user's file of defaults nor a proxy of the environment has a say.
    words = ["curl", "--disable", "--noproxy", "*", "--silent", "--show-error", "--include"]
    words += ["--http1.1", "--globoff", "--path-as-is", "--request", method, *_headers(headers)]
    words += ["--cacert", ca_file] if ca_file else []
    words += ["--insecure"] if insecure else []
    words += ["--data-binary", "@-", f"{target.scheme}://{target.authority}{target.path}"]
    return f"printf %s {shlex.quote(body)} | {shlex.join(words)}"


def _headers(headers: Sequence[tuple[str, str]]) -> list[str]:
    given = {name.lower() for name, _ in headers}
    lines = [f"{name}:" for name in _UNWANTED if name.lower() not in given]
    # A name and a semicolon is how curl is told of a header without a value.
    lines += [
        f"{name}: {value}" if value else f"{name};"
        for name, value in headers
        if name.lower() not in _CURLS_OWN
    ]
    return [word for line in lines for word in ("--header", line)]

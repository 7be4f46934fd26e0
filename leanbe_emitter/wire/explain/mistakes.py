"""The catalogue of receivers' mistakes: the signatures that each gives, and its repair in one line.

Invariant: a mistake is recognised by its signatures alone, so that naming one is never a guess. The
signatures are computed in the same way as by the receiver's libraries.
"""

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from leanbe_emitter.wire.assumptions.assumption_set import SignatureScheme
from leanbe_emitter.wire.explain.received_request import ReceivedRequest, text_of, without_signature
from leanbe_emitter.wire.signing import sign_text, to_utf8


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One wrong way to verify a signature.

    Attributes:
        name: a stable word for programs.
        what: what is wrong and what is right, in a sentence that fits receiver and sender.
        fix_javascript: the right line in JavaScript.
        fix_python: the right line in Python.
        computes: yields the signatures that a receiver with this mistake may compute; nothing if
            the mistake does not show in the request.
    """

    name: str
    what: str
    fix_javascript: str
    fix_python: str
    computes: Callable[[ReceivedRequest], Iterator[str]]


_RIGHT_JAVASCRIPT = (
    'createHmac("sha256", secret).update(JSON.stringify(body.payload)).digest("hex")'
)
_RIGHT_PYTHON = (
    'hmac.new(secret.encode(), leanbe_emitter.stringify(body["payload"]).encode(), "sha256")'
    ".hexdigest()"
)
_COMPACT = (",", ":")


def _hmac(secret: bytes, content: bytes) -> str:
    return hmac.digest(secret, content, "sha256").hex()


def _signed(request: ReceivedRequest, *contents: bytes) -> Iterator[str]:
    for content in contents:
        yield _hmac(to_utf8(request.secret), content)


def _with_secrets(request: ReceivedRequest, *secrets: str) -> Iterator[str]:
    for secret in secrets:
        if secret != request.secret:
            yield sign_text(request.signed_text, secret, scheme=request.scheme)


def _raw_body(request: ReceivedRequest) -> Iterator[str]:
    return _signed(request, request.body)


def _whole_envelope(request: ReceivedRequest) -> Iterator[str]:
    if "signature" in request.members:
        yield from _signed(request, to_utf8(text_of(request.members)))


def _envelope_without_signature(request: ReceivedRequest) -> Iterator[str]:
    return _signed(request, to_utf8(text_of(without_signature(request.members))))


def _envelope_in_part(request: ReceivedRequest) -> Iterator[str]:
    for names in (("payload",), ("payload", "event"), ("event", "payload")):
        part = {name: request.members[name] for name in names}
        yield from _signed(request, to_utf8(text_of(part)))


def _latin1_encoded(request: ReceivedRequest) -> Iterator[str]:
    text = request.payload_text
    if not text.isascii():
        # Node.js takes the low byte of each UTF-16 unit.
        yield from _signed(request, text.encode("utf-16-le")[::2])


def _json_dumps_default(request: ReceivedRequest) -> Iterator[str]:
    return _dumped(request, {}, {"ensure_ascii": False})


def _json_dumps_ascii_escaped(request: ReceivedRequest) -> Iterator[str]:
    return _dumped(request, {"separators": _COMPACT})


def _json_dumps_sorted(request: ReceivedRequest) -> Iterator[str]:
    for spaces in ({}, {"separators": _COMPACT}):
        for escaped in (True, False):
            yield from _dumped(request, {"sort_keys": True, "ensure_ascii": escaped, **spaces})


def _json_indented(request: ReceivedRequest) -> Iterator[str]:
    for width in (2, 4):
        for escaped in (True, False):
            yield from _dumped(request, {"indent": width, "ensure_ascii": escaped})


def _json_dumps_numbers(request: ReceivedRequest) -> Iterator[str]:
    return _dumped(request, {"separators": _COMPACT, "ensure_ascii": False})


def _dumped(request: ReceivedRequest, *ways: dict[str, Any]) -> Iterator[str]:
    # Python cannot parse or encode some values (numbers of 5 000 digits, lone surrogates). Then the
    # receiver raises an error and computes nothing.
    with contextlib.suppress(ValueError, RecursionError):
        payload = json.loads(request.body)["payload"]
        for way in ways:
            yield from _signed(request, json.dumps(payload, **way).encode())


def _plain_sha256(request: ReceivedRequest) -> Iterator[str]:
    yield sign_text(
        request.payload_text, request.secret, scheme=SignatureScheme.SHA256_PAYLOAD_SECRET
    )
    yield sign_text(
        request.payload_text, request.secret, scheme=SignatureScheme.SHA256_SECRET_PAYLOAD
    )


def _hash_without_secret(request: ReceivedRequest) -> Iterator[str]:
    yield hashlib.sha256(to_utf8(request.payload_text)).hexdigest()


def _secret_hex_decoded(request: ReceivedRequest) -> Iterator[str]:
    with contextlib.suppress(ValueError):
        yield _hmac(bytes.fromhex(request.secret), to_utf8(request.signed_text))


def _secret_trimmed(request: ReceivedRequest) -> Iterator[str]:
    return _with_secrets(request, request.secret.strip(), request.secret.strip("\"' \t\r\n"))


def _secret_with_newline(request: ReceivedRequest) -> Iterator[str]:
    return _with_secrets(request, request.secret + "\n", request.secret + "\r\n")


def _secret_in_quotes(request: ReceivedRequest) -> Iterator[str]:
    return _with_secrets(request, f'"{request.secret}"', f"'{request.secret}'")


def _secret_without_prefix(request: ReceivedRequest) -> Iterator[str]:
    return _with_secrets(request, request.secret.removeprefix("whsec_"))


def _secret_missing(request: ReceivedRequest) -> Iterator[str]:
    return _with_secrets(request, "", "undefined", "null", "None")


def _upper_case(request: ReceivedRequest) -> Iterator[str]:
    yield request.expected.upper()


def _base64(request: ReceivedRequest) -> Iterator[str]:
    digest = bytes.fromhex(request.expected)
    for encoded in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")


def _prefixed(request: ReceivedRequest) -> Iterator[str]:
    yield f"sha256={request.expected}"


def _header_expected(request: ReceivedRequest) -> Iterator[str]:
    # A missing header as text; or the right digest, which the receiver compares with it in vain.
    yield from ("", "undefined", "null", "None", request.expected)


#: Mistakes in the hashed content; the most common first.
_CONTENTS = (
    Mistake(
        name="raw-body-hashed",
        what="The raw body is hashed. Hash the stringified payload alone.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_raw_body,
    ),
    Mistake(
        name="whole-envelope-hashed",
        what="The whole envelope, signature included, is hashed. Hash the payload alone.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_whole_envelope,
    ),
    Mistake(
        name="envelope-without-signature-hashed",
        what="The envelope without its signature is hashed. Hash the payload alone.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_envelope_without_signature,
    ),
    Mistake(
        name="envelope-in-part-hashed",
        what="A part of the envelope is hashed, such as {payload, event}. Hash the payload itself.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_envelope_in_part,
    ),
    Mistake(
        name="latin1-encoded",
        what="The payload's text is hashed as Latin-1. Hash it as UTF-8.",
        fix_javascript='.update(JSON.stringify(body.payload), "utf8") // not "latin1" or "binary"',
        fix_python='leanbe_emitter.stringify(body["payload"]).encode()  # not encode("latin-1")',
        computes=_latin1_encoded,
    ),
    Mistake(
        name="json-dumps-default",
        what="json.dumps(payload) is hashed: it adds spaces. Hash JSON without any.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_json_dumps_default,
    ),
    Mistake(
        name="json-dumps-ascii-escaped",
        what="JSON with escaped letters (\\uXXXX) is hashed. Do not escape letters beyond ASCII.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_json_dumps_ascii_escaped,
    ),
    Mistake(
        name="json-dumps-sorted",
        what="The keys of the payload are sorted. Keep the order of the request.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_json_dumps_sorted,
    ),
    Mistake(
        name="json-indented",
        what="The payload is indented when it is hashed. Hash it without white space.",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_json_indented,
    ),
    Mistake(
        name="json-dumps-numbers",
        what="Numbers or the order of keys follow Python (1.0, 1e-05). Follow JavaScript "
        "(1, 0.00001).",
        fix_javascript=_RIGHT_JAVASCRIPT,
        fix_python=_RIGHT_PYTHON,
        computes=_json_dumps_numbers,
    ),
    Mistake(
        name="plain-sha256",
        what="Payload and secret are joined and hashed with SHA-256. Compute an HMAC.",
        fix_javascript='createHmac("sha256", secret).update(content) // not createHash("sha256")',
        fix_python='hmac.new(secret.encode(), content, "sha256")  # not hashlib.sha256',
        computes=_plain_sha256,
    ),
    Mistake(
        name="hash-without-secret",
        what="The payload is hashed with SHA-256 without the secret. Compute an HMAC.",
        fix_javascript='createHmac("sha256", secret).update(content) // not createHash("sha256")',
        fix_python='hmac.new(secret.encode(), content, "sha256")  # not hashlib.sha256',
        computes=_hash_without_secret,
    ),
)

#: Mistakes in the secret.
SECRETS = (
    Mistake(
        name="secret-hex-decoded",
        what="The secret is decoded from hex. Use its characters as the key.",
        fix_javascript='createHmac("sha256", secret) // not Buffer.from(secret, "hex")',
        fix_python='hmac.new(secret.encode(), content, "sha256")  # not bytes.fromhex(secret)',
        computes=_secret_hex_decoded,
    ),
    Mistake(
        name="secret-trimmed",
        what="The secret is trimmed. Keep the spaces or quotes around it.",
        fix_javascript='createHmac("sha256", secret) // not secret.trim()',
        fix_python='hmac.new(secret.encode(), content, "sha256")  # not secret.strip()',
        computes=_secret_trimmed,
    ),
    Mistake(
        name="secret-with-newline",
        what="The secret ends with a newline, as files and shell commands add one. Remove it.",
        fix_javascript='const secret = readFileSync(path, "utf8").trimEnd()',
        fix_python='secret = Path(path).read_text(encoding="utf-8").rstrip("\\r\\n")',
        computes=_secret_with_newline,
    ),
    Mistake(
        name="secret-in-quotes",
        what="The secret has quotes around it, as some settings parsers keep them. Remove them.",
        fix_javascript='const secret = process.env.LEANBE_SECRET.replace(/^["\']|["\']$/g, "")',
        fix_python="""secret = os.environ["LEANBE_SECRET"].strip("\\"'")""",
        computes=_secret_in_quotes,
    ),
    Mistake(
        name="secret-without-prefix",
        what="The prefix whsec_ is removed from the secret. Keep it.",
        fix_javascript='createHmac("sha256", secret) // the whole secret',
        fix_python='hmac.new(secret.encode(), content, "sha256")  # the whole secret',
        computes=_secret_without_prefix,
    ),
    Mistake(
        name="secret-missing",
        what="The secret is empty or missing. Set it.",
        fix_javascript='if (!secret) throw new Error("the webhook secret is not set")',
        fix_python='secret = os.environ["LEANBE_SECRET"]  # raises where it is not set',
        computes=_secret_missing,
    ),
)

#: Mistakes in the content and in the secret; the most common first.
MISTAKES = (*_CONTENTS, *SECRETS)

#: Mistakes in how the digest is written, for any content.
DIGEST_FORMS = (
    Mistake(
        name="upper-case",
        what="The digest is in upper case. Use lower-case hex.",
        fix_javascript='.digest("hex") // without toUpperCase()',
        fix_python=".hexdigest()  # without upper()",
        computes=_upper_case,
    ),
    Mistake(
        name="base64",
        what="The digest is in base64. Use lower-case hex.",
        fix_javascript='.digest("hex") // not .digest("base64")',
        fix_python=".hexdigest()  # not base64.b64encode(....digest())",
        computes=_base64,
    ),
    Mistake(
        name="prefixed",
        what="The digest has the prefix sha256=. Use the hex digits alone.",
        fix_javascript='.digest("hex") // nothing before it',
        fix_python=".hexdigest()  # nothing before it",
        computes=_prefixed,
    ),
)

#: The receiver looks in the wrong place. This mistake computes nothing.
HEADER_EXPECTED = Mistake(
    name="header-expected",
    what="The signature is expected in a header. It is in the body, beside the payload.",
    fix_javascript="const { signature } = req.body // not req.headers[...]",
    fix_python='signature = body["signature"]  # not request.headers[...]',
    computes=_header_expected,
)


def other_secret(label: str, secret: str) -> Mistake:
    """Return the mistake of using another secret; the label describes it to people."""
    return Mistake(
        name="other-secret",
        what=f"The wrong secret is used: {label}.",
        fix_javascript="const secret = process.env.LEANBE_SECRET // this product's present secret",
        fix_python='secret = os.environ["LEANBE_SECRET"]  # this product\'s present secret',
        computes=lambda request: _with_secrets(request, secret),
    )

"""Mistakes in the bytes that are hashed: other parts of the body, other encodings, other JSON.

The most common come first. A content that equals the right one is no mistake, so what a payload
does not show is never named.
"""

import contextlib
from collections.abc import Callable, Iterator

from leanbe_emitter.wire.assumptions.assumption_set import SignedContent
from leanbe_emitter.wire.assumptions.parsing import computing_assumptions
from leanbe_emitter.wire.explain.differences import differences
from leanbe_emitter.wire.explain.json_tree import Tree
from leanbe_emitter.wire.explain.mistakes import ContentMistake, Saying
from leanbe_emitter.wire.explain.received_request import ReceivedRequest, text_of, without_signature
from leanbe_emitter.wire.explain.serialisers import SERIALISERS
from leanbe_emitter.wire.explain.serialisers.notation import RefusedText, Serialiser
from leanbe_emitter.wire.signing import to_utf8

#: Serialisers that are tried on the whole body, too.
_OF_WHOLE_BODIES = {
    "python-dumps",
    "python-dumps-unicode",
    "python-dumps-compact",
    "python-dumps-compact-unicode",
    "js-indent-2",
    "php-objects",
    "php-arrays",
    "php-objects-slashes-unicode",
    "go-marshal",
    "ruby-rails",
    "java-gson",
    "csharp-text-json",
}
_NO_PAYLOAD = ("undefined", "null", "", "None", "nil", "Array", "Object", "{}")
_AS_IT_CAME = "Hash the payload's text as it came."


def _advice(request: ReceivedRequest) -> str:
    """Return what to hash, or the assumptions that changed it."""
    assumed = computing_assumptions(request.assumptions)
    if not assumed:
        return "Hash the stringified payload alone."
    return f"The request was signed under {assumed}."


def _mistake(
    name: str,
    words: str,
    contents: Callable[[ReceivedRequest], Iterator[bytes]],
    *,
    covers_signature: bool = False,
) -> ContentMistake:
    return ContentMistake(
        name=name,
        contents=contents,
        says=lambda request, _: Saying(verb="hash", object=words, advice=_advice(request)),
        covers_signature=covers_signature,
    )


def _raw_body(request: ReceivedRequest) -> Iterator[bytes]:
    yield request.body


def _whole_envelope(request: ReceivedRequest) -> Iterator[bytes]:
    if "signature" in request.members:
        yield to_utf8(text_of(request.members))


def _envelope_without_signature(request: ReceivedRequest) -> Iterator[bytes]:
    yield to_utf8(text_of(without_signature(request.members)))


def _payload(request: ReceivedRequest) -> Iterator[bytes]:
    yield to_utf8(request.payload_text)


def _envelope_in_part(request: ReceivedRequest) -> Iterator[bytes]:
    for names in (("payload",), ("payload", "event"), ("event", "payload")):
        yield to_utf8(text_of({name: request.members[name] for name in names}))


def _with_time(request: ReceivedRequest) -> Iterator[bytes]:
    time = to_utf8(str(request.members["triggeredAt"]))
    for separator in (b".", b"", b":"):
        yield time + separator + request.signed_bytes


def _body_with_time(request: ReceivedRequest) -> Iterator[bytes]:
    time = to_utf8(str(request.members["triggeredAt"]))
    yield from (time + separator + request.body for separator in (b".", b"", b":"))


def _as_node_latin1(request: ReceivedRequest) -> Iterator[bytes]:
    if not request.signed_bytes.isascii():
        # Node.js takes the low byte of each UTF-16 unit.
        yield request.signed_text.encode("utf-16-le", "surrogatepass")[::2]


def _as_utf16(request: ReceivedRequest) -> Iterator[bytes]:
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        encoded = request.signed_text.encode(encoding, "surrogatepass")
        yield encoded
        yield mark + encoded


def _mojibake(request: ReceivedRequest) -> Iterator[bytes]:
    if not request.signed_bytes.isascii():
        yield request.signed_bytes.decode("latin-1").encode()
        with contextlib.suppress(UnicodeDecodeError):
            yield request.signed_bytes.decode("cp1252").encode()


def _letters_lost(request: ReceivedRequest) -> Iterator[bytes]:
    if not request.signed_bytes.isascii():
        yield request.signed_text.encode("ascii", "replace")
        yield request.signed_bytes.decode("ascii", "replace").encode()
        yield request.signed_text.encode("ascii", "ignore")


def _with_newline(request: ReceivedRequest) -> Iterator[bytes]:
    yield from (request.signed_bytes + end for end in (b"\n", b"\r\n"))


def _no_payload(_request: ReceivedRequest) -> Iterator[bytes]:
    yield from (text.encode() for text in _NO_PAYLOAD)


def _no_payload_said(_request: ReceivedRequest, content: bytes) -> Saying:
    text = content.decode()
    return Saying(
        verb="hash",
        object=f'the text "{text}" instead of the payload' if text else "an empty text",
        advice="Parse the body first; the payload is its member payload.",
    )


_BODIES = (
    _mistake("raw-body-hashed", "the raw body", _raw_body, covers_signature=True),
    _mistake(
        "whole-envelope-hashed",
        "the whole envelope, with its signature",
        _whole_envelope,
        covers_signature=True,
    ),
    _mistake(
        "envelope-without-signature-hashed",
        "the envelope without its signature",
        _envelope_without_signature,
    ),
    _mistake("envelope-in-part-hashed", "a part of the envelope", _envelope_in_part),
    _mistake("payload-hashed", "the payload alone", _payload),
    _mistake(
        "newline-hashed", "a newline behind the text, as echo and editors add one", _with_newline
    ),
)
_TEXTS = (
    ContentMistake(name="no-payload-hashed", contents=_no_payload, says=_no_payload_said),
    _mistake("latin1-encoded", "the text as Latin-1 instead of UTF-8", _as_node_latin1),
    _mistake("mojibake", "the text after its UTF-8 was read as Latin-1", _mojibake),
    _mistake("letters-lost", "the text without its letters beyond ASCII", _letters_lost),
    _mistake("utf16-encoded", "the text as UTF-16 instead of UTF-8", _as_utf16),
    _mistake("time-prepended", "triggeredAt before the text", _with_time),
    _mistake(
        "time-prepended-to-body",
        "triggeredAt before the raw body",
        _body_with_time,
        covers_signature=True,
    ),
)


def _of_serialiser(serialiser: Serialiser) -> ContentMistake:
    return ContentMistake(
        name=serialiser.name,
        languages=(serialiser.language,),
        call=serialiser.call,
        is_written=True,
        contents=lambda request: _written(serialiser, request, _signed_tree(request)),
        says=lambda request, _: _serialiser_said(serialiser, request),
    )


def _serialiser_said(serialiser: Serialiser, request: ReceivedRequest) -> Saying:
    does = serialiser.says or differences(_signed_tree(request), serialiser.notation)
    return Saying(
        verb="hash",
        object=f"{serialiser.call}, which {does}" if does else serialiser.call,
        advice=_AS_IT_CAME,
    )


def _signed_tree(request: ReceivedRequest) -> Tree:
    if request.assumptions.signed_content is SignedContent.PAYLOAD:
        return request.tree["payload"]
    return without_signature(request.tree)


def _of_whole_body(serialiser: Serialiser) -> Iterator[ContentMistake]:
    call = serialiser.call.replace("$body->payload", "$body").replace("$body['payload']", "$body")
    call = call.replace("payload", "body")
    yield ContentMistake(
        name="envelope-without-signature-rewritten",
        languages=(serialiser.language,),
        is_written=True,
        contents=lambda request: _written(serialiser, request, without_signature(request.tree)),
        says=lambda request, _: Saying(
            verb="hash", object=f"{call} without the signature", advice=_advice(request)
        ),
    )
    yield ContentMistake(
        name="whole-envelope-rewritten",
        languages=(serialiser.language,),
        is_written=True,
        contents=lambda request: _written(serialiser, request, request.tree),
        says=lambda request, _: Saying(verb="hash", object=call, advice=_advice(request)),
        covers_signature=True,
    )


def _written(serialiser: Serialiser, request: ReceivedRequest, tree: Tree) -> Iterator[bytes]:
    if serialiser.notation.has_arrays_only and not request.has_list_likes:
        return  # the same serialiser of objects writes the same
    # A receiver whose parser or serialiser refuses the text computes nothing. The same goes for
    # integers of more than 4 300 digits in Python.
    with contextlib.suppress(RefusedText, ValueError, RecursionError):
        text = serialiser.text(tree, may_have_surrogates=request.has_escaped_surrogates)
        yield to_utf8(text)


#: Every mistake in the content; the most common first.
CONTENTS: tuple[ContentMistake, ...] = (
    *_BODIES,
    *map(_of_serialiser, SERIALISERS),
    *_TEXTS,
    *(
        mistake
        for serialiser in SERIALISERS
        if serialiser.name in _OF_WHOLE_BODIES
        for mistake in _of_whole_body(serialiser)
    ),
)

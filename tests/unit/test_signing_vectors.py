"""The signing vectors: a right verifier passes all of them, and each wrong serialiser fails one."""

import hashlib
import hmac
from typing import Any

import pytest

from leanbe_emitter import InvalidSignature, verify
from leanbe_emitter.wire.explain.json_tree import tree_of
from leanbe_emitter.wire.explain.serialisers import SERIALISERS
from leanbe_emitter.wire.explain.serialisers.notation import RefusedText, Serialiser
from leanbe_emitter.wire.signing_vectors import signing_vectors

DOCUMENT: Any = signing_vectors()
VECTORS = DOCUMENT["vectors"]


def test_verify_accepts_the_vectors_and_refuses_the_refused_bodies() -> None:
    for vector in VECTORS:
        envelope = verify(vector["body"].encode(), vector["secret"])
        assert envelope.payload == vector["payload"]
        assert envelope.signature == vector["signature"]
    for refused in DOCUMENT["refused"]:
        with pytest.raises(InvalidSignature):
            verify(refused["body"].encode(), refused["secret"])


def test_the_text_cut_out_of_the_raw_body_has_the_signature() -> None:
    for vector in VECTORS:
        raw = vector["body"].encode()
        text = raw[len('{"payload":') : raw.rindex(b',"event":')]
        assert text == vector["text"].encode()
        signature = hmac.new(vector["secret"].encode(), text, hashlib.sha256).hexdigest()
        assert signature == vector["signature"]


def text_by(serialiser: Serialiser, text: str) -> str | None:
    try:
        return serialiser.text(tree_of(text))
    except RefusedText:
        return None


@pytest.mark.parametrize("serialiser", SERIALISERS, ids=lambda each: each.name)
def test_each_serialiser_but_json_stringify_fails_a_vector(serialiser: Serialiser) -> None:
    assert any(text_by(serialiser, each["text"]) != each["text"] for each in VECTORS)


def test_names_are_unique() -> None:
    names = [each["name"] for each in (*VECTORS, *DOCUMENT["refused"])]
    assert len(set(names)) == len(names)

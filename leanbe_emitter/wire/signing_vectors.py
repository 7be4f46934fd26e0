"""Signing vectors: signed bodies to test a verifier with, in any language.

Each one shows a difference between ``JSON.stringify`` and the serialiser of some language, or a
secret that is easily read in a wrong way. The refused bodies are mistakes that a verifier must see.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.stringify import JSON, parse, stringify

_SECRET = "whsec_5f2d8c1a9b7e4f60"  # noqa: S105 - a secret for tests, which everybody may know
_TRIGGERED_AT = datetime(2023, 6, 29, 6, 56, 57, 472000, tzinfo=UTC)
_EVENT = "idea.created"

#: Payload texts by name, as any JSON writer may write them.
_PAYLOADS = {
    "an idea": '{"_id":"649d2ac49c3a1954e6a2e421","title":"Dark mode","tags":[{"title":"ui"}],'
    '"promoted":false,"upvotes":0}',
    "accents": '{"title":"Zoë Müller à côté, Ærø","city":"Kraków"}',
    "emoji": '{"title":"Night 🌙 mode","🌙":"👩‍👩‍👧"}',
    "slashes": '{"image":"https://example.com/a/b.png","path":"a\\\\b"}',
    "html": '{"descriptionHTML":"<p>Tom & Jerry\'s \\"best\\" = 1 + 1</p></script>"}',
    "line separators": '{"text":"a\\u2028b\\u2029c"}',
    "control characters": '{"text":"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\u007f\\u0080"}',
    "spaces beyond ASCII": '{"text":"a\\u00a0b\\u200bc\\ufeffd"}',
    "combining characters": '{"composed":"\\u00e9","decomposed":"e\\u0301"}',
    "lone surrogates": '{"text":"\\ud83c x \\udf19"}',
    "large exponents": '{"numbers":[1e21,1.5e300,-2.5e25,1.7976931348623157e308]}',
    "small exponents": '{"numbers":[1e-7,-2.5e-10,5e-324]}',
    "no exponents": '{"numbers":[100000000000000000000,0.000001,123456789012345680000]}',
    "fractions": '{"numbers":[0.1,0.30000000000000004,-1.25,100.01,4503599627370497.5]}',
    "integers of 53 bits": '{"numbers":[9007199254740991,-9007199254740991,9007199254740992]}',
    "empty object": '{"image":{},"tags":[]}',
    "nested empty values": '{"a":[{},[],[[]]],"b":{"c":{"d":{}}}}',
    "null": '{"a":null,"b":[null,false,""]}',
    "unsorted keys": '{"b":1,"B":2,"a":3,"_id":4,"ä":{"z":1,"y":2}}',
    "integer keys": '{"2":"a","10":"b","1":"c","x":"d"}',
    "odd keys": '{"":1,"a b":2,"$set":3,"a.b":4,"__proto__":5,"01":6,"-1":7}',
    "the envelope's words": '{"title":"\\",\\"event\\":\\"","payload":{"a":1,"event":"b"}}',
    "numbers in text": '{"zipcode":"00123","price":"1.50","count":"42","when":"2023-06-29"}',
    "a list": '[1,"é",null,{"a":1.5}]',
    "a text": '"Zoë / <b>"',
    "no members": "{}",
}
#: Secrets by name.
_SECRETS = {
    "a secret of hex digits": sha256(b"leanbe").hexdigest(),
    "a secret beyond ASCII": "whsec_tést_🔑",
    "a secret of more than 64 bytes": "whsec_" + "0123456789abcdef" * 8,
    "a secret that ends in spaces": "whsec_spaces  ",
    "a secret of one character": "x",
}


def signing_vectors() -> dict[str, JSON]:
    """Return the document of all vectors, the same in every run.

    Its members: ``formula``, a sentence; ``vectors``, each with ``name``, ``secret``, ``payload``,
    ``text`` (the signed text), ``signature`` and ``body``; and ``refused``, each with ``name``,
    ``secret`` and a ``body`` that a verifier must refuse.
    """
    payloads = [_vector(name, _SECRET, text) for name, text in _PAYLOADS.items()]
    usual = _PAYLOADS["accents"]
    secrets = [_vector(name, secret, usual) for name, secret in _SECRETS.items()]
    return {
        "formula": "signature = createHmac('sha256', secret).update(JSON.stringify(payload))"
        ".digest('hex'); text is the result of JSON.stringify, and stands in body unchanged",
        "vectors": [*payloads, *secrets],
        "refused": [
            {"name": name, "secret": secret, "body": body} for name, secret, body in _refused()
        ],
    }


def _vector(name: str, secret: str, payload: str) -> dict[str, JSON]:
    value = parse(payload)
    text = stringify(value)
    sealed = seal(text, event=_EVENT, triggered_at=_TRIGGERED_AT, secret=secret)
    return {
        "name": name,
        "secret": secret,
        "payload": value,
        "text": text,
        "signature": sealed.signature,
        "body": sealed.body,
    }


def _refused() -> Iterator[tuple[str, str, str]]:
    """Yield name, secret and body."""
    text = stringify(parse(_PAYLOADS["accents"]))
    sealed = seal(text, event=_EVENT, triggered_at=_TRIGGERED_AT, secret=_SECRET)
    body, signature = sealed.body, sealed.signature or ""
    yield "another secret", _SECRET + "0", body
    yield "a changed payload", _SECRET, body.replace("Kraków", "Krakow")
    yield "a changed signature", _SECRET, body.replace(signature, "0" * 64)
    yield "a shortened signature", _SECRET, body.replace(signature, signature[:-1])
    yield "an empty signature", _SECRET, body.replace(signature, "")
    yield "no signature", _SECRET, body.replace(f',"signature":"{signature}"', "")
    yield "a signature that is null", _SECRET, body.replace(f'"{signature}"', "null")
    yield "a signature that is a list", _SECRET, body.replace(f'"{signature}"', f'["{signature}"]')
    yield "no payload", _SECRET, body.replace('"payload"', '"content"')
    yield "a body in a list", _SECRET, f"[{body}]"
    yield "half a body", _SECRET, body[: len(body) // 2]
    yield "an empty body", _SECRET, ""
    empty = seal(text, event=_EVENT, triggered_at=_TRIGGERED_AT, secret="")
    yield "signed with an empty secret", _SECRET, empty.body

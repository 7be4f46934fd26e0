"""Each mistake is named from the digits that it gives, which are worked out here independently."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import leanbe_emitter
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.mistakes import DIGEST_FORMS, HEADER_EXPECTED, MISTAKES, Mistake
from leanbe_emitter.wire.explain.received_request import ReceivedRequest

SECRET = "whsec_" + "5e" * 32
TEXT = '{"title":"Nachtmodus für Zoë 🌙","b":[1,2],"a":{"small":1e-7}}'
PAYLOAD = json.loads(TEXT)
REST = ',"event":"idea.created","triggeredAt":"2026-11-24T12:00:00.000Z"'


def digest(key: str | bytes, content: str | bytes) -> str:
    key, content = (x.encode() if isinstance(x, str) else x for x in (key, content))
    return hmac.new(key, content, "sha256").hexdigest()


RIGHT = digest(SECRET, TEXT)
BODY = f'{{"payload":{TEXT}{REST},"signature":"{RIGHT}"}}'


def dumps(**options: Any) -> str:
    return json.dumps(PAYLOAD, **options)


def explained(got: str | None, body: str = BODY, secret: str = SECRET) -> Explanation:
    return explain(body.encode(), secret, got=got)


def names(explanation: Explanation) -> list[str]:
    return [candidate.mistake.name for candidate in explanation.mistakes]


CASES = {
    "raw-body-hashed": [digest(SECRET, BODY)],
    "envelope-without-signature-hashed": [digest(SECRET, f'{{"payload":{TEXT}{REST}}}')],
    "envelope-in-part-hashed": [
        digest(SECRET, f'{{"payload":{TEXT}}}'),
        digest(SECRET, f'{{"payload":{TEXT},"event":"idea.created"}}'),
        digest(SECRET, f'{{"event":"idea.created","payload":{TEXT}}}'),
    ],
    # Node.js keeps the low byte of each UTF-16 unit: of the moon's two, 0x3c and 0x19.
    "latin1-encoded": [digest(SECRET, TEXT.replace("🌙", "\x3c\x19").encode("latin-1"))],
    "json-dumps-default": [digest(SECRET, dumps()), digest(SECRET, dumps(ensure_ascii=False))],
    "json-dumps-ascii-escaped": [digest(SECRET, dumps(separators=(",", ":")))],
    "json-dumps-sorted": [
        digest(SECRET, dumps(sort_keys=True)),
        digest(SECRET, dumps(sort_keys=True, ensure_ascii=False)),
        digest(SECRET, dumps(sort_keys=True, separators=(",", ":"))),
        digest(SECRET, dumps(sort_keys=True, separators=(",", ":"), ensure_ascii=False)),
    ],
    "json-indented": [
        digest(SECRET, dumps(indent=2)),
        digest(SECRET, dumps(indent=4, ensure_ascii=False)),
    ],
    "json-dumps-numbers": [
        digest(SECRET, '{"title":"Nachtmodus für Zoë 🌙","b":[1,2],"a":{"small":1e-07}}')
    ],
    "plain-sha256": [
        hashlib.sha256((TEXT + SECRET).encode()).hexdigest(),
        hashlib.sha256((SECRET + TEXT).encode()).hexdigest(),
    ],
    "hash-without-secret": [hashlib.sha256(TEXT.encode()).hexdigest()],
    "secret-with-newline": [digest(SECRET + "\n", TEXT), digest(SECRET + "\r\n", TEXT)],
    "secret-in-quotes": [digest(f'"{SECRET}"', TEXT), digest(f"'{SECRET}'", TEXT)],
    "secret-without-prefix": [digest("5e" * 32, TEXT)],
    "secret-missing": [digest("", TEXT), digest("undefined", TEXT), digest("None", TEXT)],
    "upper-case": [RIGHT.upper()],
    "base64": [
        base64.b64encode(bytes.fromhex(RIGHT)).decode(),
        base64.urlsafe_b64encode(bytes.fromhex(RIGHT)).decode(),
        base64.urlsafe_b64encode(bytes.fromhex(RIGHT)).decode().rstrip("="),
    ],
    "prefixed": [f"sha256={RIGHT}"],
    "header-expected": ["", "undefined", "null", "None", RIGHT],
}


@pytest.mark.parametrize(
    ("name", "got"),
    [(name, got) for name, several in CASES.items() for got in several],
    ids=[f"{name}-{at}" for name, several in CASES.items() for at in range(len(several))],
)
def test_what_a_receiver_computed_names_its_mistake(name: str, got: str) -> None:
    explanation = explained(f" {got}\n")
    assert (explanation.verdict, names(explanation)) == (Verdict.MISTAKE_FOUND, [name])
    assert explanation.explained


def test_a_text_that_is_ascii_hides_in_which_encoding_it_is_hashed() -> None:
    text = '{"title":"Night mode"}'
    listed = names(
        explained(None, body=BODY.replace(TEXT, text).replace(RIGHT, digest(SECRET, text)))
    )
    assert "raw-body-hashed" in listed
    assert "latin1-encoded" not in listed


def test_a_whole_envelope_that_was_written_again_is_named() -> None:
    pretty = json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).replace("1e-07", "1e-7")
    assert names(explained(digest(SECRET, BODY), body=pretty)) == ["whole-envelope-hashed"]
    assert names(explained(digest(SECRET, pretty), body=pretty)) == ["raw-body-hashed"]


def test_a_secret_decoded_from_hex_is_named() -> None:
    secret = "5e" * 32
    body = BODY.replace(RIGHT, digest(secret, TEXT))
    got = digest(bytes.fromhex(secret), TEXT)
    assert names(explained(got, body=body, secret=secret)) == ["secret-hex-decoded"]


@pytest.mark.parametrize("secret", [" s3cret", "s3cret\n", '"s3cret"', "'s3cret' "])
def test_a_trimmed_secret_is_named(secret: str) -> None:
    body = BODY.replace(RIGHT, digest(secret, TEXT))
    got = digest("s3cret", TEXT)
    assert names(explained(got, body=body, secret=secret)) == ["secret-trimmed"]


def test_another_secret_is_named_by_its_label() -> None:
    others = [("the secret of Acme", "whsec_acme"), ("the secret before the rotation", "old")]
    explanation = explain(BODY.encode(), SECRET, got=digest("old", TEXT), other_secrets=others)
    assert names(explanation) == ["other-secret"]
    assert "the secret before the rotation" in explanation.mistakes[0].mistake.what


def test_two_mistakes_at_once_are_both_named() -> None:
    got = base64.b64encode(bytes.fromhex(digest(SECRET, BODY))).decode()
    assert names(explained(got)) == ["raw-body-hashed", "base64"]
    assert names(explained(digest(SECRET, dumps()).upper())) == ["json-dumps-default", "upper-case"]


def test_it_is_said_honestly_that_no_mistake_fits() -> None:
    explanation = explained("a" * 64)
    assert (explanation.verdict, explanation.mistakes) == (Verdict.NONE_FITS, ())
    assert not explanation.explained
    assert hashlib.sha256(TEXT.encode()).hexdigest() in explanation.hint
    assert f"{len(TEXT.encode())} bytes" in explanation.hint
    assert "Check the receiver's secret first" in explanation.hint
    assert "a text of 3 characters" in explained("abc").hint


@pytest.mark.parametrize(("name", "said"), [("sha1", "SHA-1"), ("sha512", "SHA-512")])
def test_a_digest_of_another_hash_is_told_by_its_length(name: str, said: str) -> None:
    got = hmac.new(SECRET.encode(), TEXT.encode(), name).hexdigest()
    assert f"characters, the length of {said}: use SHA-256" in explained(got).hint
    assert said not in explained("z" * len(got)).hint


def test_for_a_sound_body_the_usual_mistakes_are_listed_raw_body_first() -> None:
    explanation = explained(None)
    assert (explanation.verdict, explanation.explained) == (Verdict.BODY_SOUND, False)
    listed = {each.mistake.name: each.signatures for each in explanation.mistakes}
    assert next(iter(listed)) == "raw-body-hashed"
    for name in set(CASES) - {"header-expected"}:
        assert set(CASES[name]) <= set(listed[name])
    assert listed["header-expected"] == ()


def test_no_digits_are_listed_twice() -> None:
    listed = [digits for each in explained(None).mistakes for digits in each.signatures]
    assert len(listed) == len(set(listed))
    assert "whole-envelope-hashed" not in names(explained(None))  # of this body, the raw text


def test_what_does_not_show_in_a_body_is_not_listed_for_it() -> None:
    text = '{"a":1}'
    body = f'{{"payload":{text}{REST},"signature":"{digest(SECRET, text)}"}}'
    listed = names(explained(None, body=body))
    assert "json-dumps-ascii-escaped" not in listed
    assert "json-dumps-numbers" not in listed
    assert all(
        digest(SECRET, text) not in candidate.signatures
        for candidate in explained(None, body=body).mistakes
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (BODY.replace("signature", "sign"), "no member 'signature'"),
        (BODY.replace(RIGHT, RIGHT.upper()), "in upper case"),
        (BODY.replace(RIGHT, "a"), "is not 64"),
        (BODY.replace("Nachtmodus", "Nachtmode"), "does not fit the payload"),
    ],
)
@pytest.mark.parametrize("got", [None, "undefined", "a" * 64])
def test_what_is_wrong_with_the_body_itself_is_said_first(
    body: str, reason: str, got: str | None
) -> None:
    explanation = explained(got, body=body)
    assert (explanation.verdict, explanation.explained) == (Verdict.BODY_UNSOUND, True)
    assert reason in explanation.summary
    assert explanation.hint


@pytest.mark.parametrize(
    ("signature", "cause"),
    [
        (digest("whsec_acme", TEXT), "other-secret"),
        (hashlib.sha256((TEXT + SECRET).encode()).hexdigest(), "plain-sha256"),
        (digest(SECRET, f'{{"payload":{TEXT}{REST}}}'), "envelope-without-signature-hashed"),
        (RIGHT.upper(), "upper-case"),
    ],
)
def test_how_a_body_was_signed_instead_is_told_where_it_is_known(
    signature: str, cause: str
) -> None:
    body = BODY.replace(RIGHT, signature).encode()
    explanation = explain(body, SECRET, other_secrets=[("the secret of Acme", "whsec_acme")])
    assert (explanation.verdict, names(explanation)) == (Verdict.BODY_UNSOUND, [cause])


def test_a_receiver_that_rightly_refuses_an_altered_body_is_told_so() -> None:
    altered = BODY.replace("Nachtmodus", "Nachtmode")
    got = digest(SECRET, TEXT.replace("Nachtmodus", "Nachtmode"))
    explanation = explained(got, body=altered)
    assert explanation.verdict is Verdict.BODY_UNSOUND
    assert "computes the right signature" in explanation.summary


def plain(text: str, secret: str) -> str:
    return f'{{"payload":{text}{REST},"signature":"{digest(secret, text)}"}}'


@pytest.mark.parametrize("text", ['{"title":"Dark mode","upvotes":0}', TEXT])
@pytest.mark.parametrize(
    ("signer", "causes", "hint"),
    [
        ("whsec_old", ["other-secret"], "The receiver is right"),
        ("whsec_unknown", [], "A secret that is not known here signed it"),
    ],
)
def test_a_receiver_that_has_the_present_secret_is_told_that_another_one_signed(
    text: str, signer: str, causes: list[str], hint: str
) -> None:
    explanation = explain(
        plain(text, signer).encode(),
        SECRET,
        got=digest(SECRET, text),
        other_secrets=[("an old secret of this product", "whsec_old")],
    )
    assert (explanation.verdict, names(explanation)) == (Verdict.BODY_UNSOUND, causes)
    assert "The receiver computes the right signature for this secret" in explanation.summary
    assert explanation.hint.startswith(hint)


def test_a_mistake_is_named_for_an_altered_body_too() -> None:
    altered = BODY.replace("Nachtmodus", "Nachtmode")
    explanation = explained(digest(SECRET, altered), body=altered)
    assert (explanation.verdict, names(explanation)) == (Verdict.MISTAKE_FOUND, ["raw-body-hashed"])
    assert "does not fit the payload" in explanation.hint


def test_without_a_secret_nothing_can_be_explained() -> None:
    with pytest.raises(InvalidValue, match="secret is empty"):
        explained(None, secret="")


def test_numbers_that_python_cannot_read_leave_the_other_mistakes() -> None:
    text = f"[{'9' * 5_000},null]"
    body = f'{{"payload":{text}{REST},"signature":"{digest(SECRET, "[null,null]")}"}}'
    listed = names(explained(None, body=body))
    assert listed[0] == "raw-body-hashed"
    assert "json-dumps-default" not in listed
    assert "plain-sha256" in listed


def test_an_explanation_does_not_show_the_secret_when_printed() -> None:
    for got in (None, "a" * 64, digest(SECRET, BODY)):
        assert SECRET not in repr(explained(got))
    assert SECRET not in repr(ReceivedRequest.of(BODY.encode(), SECRET))


@pytest.mark.parametrize(
    "mistake", [*MISTAKES, *DIGEST_FORMS, HEADER_EXPECTED], ids=lambda mistake: mistake.name
)
def test_every_mistake_has_a_sentence_and_two_repairs_of_one_line(mistake: Mistake) -> None:
    assert mistake.what.endswith(".")
    for repair in (mistake.fix_javascript, mistake.fix_python):
        assert repair
        assert "\n" not in repair


def test_the_python_repair_of_what_is_hashed_computes_the_signature() -> None:
    given = {"secret": SECRET, "body": json.loads(BODY)}
    names = {"hmac": hmac, "leanbe_emitter": leanbe_emitter}
    assert eval(MISTAKES[0].fix_python, names, given) == RIGHT  # noqa: S307 - it is our own line


@given(st.binary(), st.none() | st.text())
def test_any_body_and_any_digits_are_explained_somehow(body: bytes, got: str | None) -> None:
    assert explain(body, SECRET, got=got).verdict is Verdict.BODY_UNSOUND


@given(st.text())
def test_any_digits_are_explained_somehow(got: str) -> None:
    assert explained(got).verdict in {Verdict.MISTAKE_FOUND, Verdict.NONE_FITS}


def test_an_explanation_as_json_says_all_that_it_is() -> None:
    explanation = explained(None)
    first = explanation.mistakes[0]
    assert {**explanation.document(), "mistakes": []} == {
        "verdict": "body-sound",
        "summary": explanation.summary,
        "hint": explanation.hint,
        "mistakes": [],
    }
    assert explanation.hint != explanation.summary
    assert first.document() == {
        "name": first.mistake.name,
        "what": first.mistake.what,
        "signatures": [*first.signatures],
        "javascript": first.mistake.fix_javascript,
        "python": first.mistake.fix_python,
    }

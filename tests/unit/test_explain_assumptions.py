"""An explanation follows the assumptions that change how a request is signed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from leanbe_emitter import InvalidValue
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import SealedRequest, seal
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.languages import Language

SECRET = "whsec_test"
TEXT = '{"title":"Zoë 🌙","upvotes":0}'
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADER = {"signature_location": "header", "signature_header": "X-Sig"}
BOTH = {"signature_location": "both"}
BEHIND = {"signature_scheme": "sha256-payload-secret"}
BEFORE = {"signature_scheme": "sha256-secret-payload"}
ENVELOPE = {"signed_content": "envelope-without-signature"}
PRETTY = {"pretty_body": "true"}
ASSUMPTION_SETS = [
    HEADER,
    BOTH,
    BEHIND,
    BEFORE,
    ENVELOPE,
    {**HEADER, **ENVELOPE},
    {**HEADER, **ENVELOPE, **PRETTY},
    {**BOTH, **BEHIND, **ENVELOPE},
    {**BEFORE, **ENVELOPE},
]


def sealed(assumed: dict[str, str], secret: str = SECRET) -> SealedRequest:
    return seal(
        TEXT,
        event="idea.created",
        triggered_at=AT,
        secret=secret,
        assumptions=parse_assumptions(assumed),
    )


def explained(
    assumed: dict[str, str], got: str | None, sent: SealedRequest | None = None
) -> Explanation:
    sent = sent or sealed(assumed)
    others = [("an old secret of this product", "whsec_old")]
    return explain(
        sent.body.encode(),
        SECRET,
        got=got,
        other_secrets=others,
        headers=sent.headers,
        assume=assumed,
    )


def digest(secret: str, content: str) -> str:
    return hmac.digest(secret.encode(), content.encode(), "sha256").hex()


def names(explanation: Explanation) -> list[str]:
    return [candidate.mistake.name for candidate in explanation.mistakes]


@pytest.mark.parametrize("assumed", ASSUMPTION_SETS, ids=str)
def test_a_body_that_was_sent_under_an_assumption_is_sound_and_says_so(
    assumed: dict[str, str],
) -> None:
    explanation = explained(assumed, None)
    assert explanation.verdict is Verdict.BODY_SOUND
    for name, value in assumed.items():
        if name in {"signature_location", "signature_scheme", "signed_content"}:
            assert f"{name}={value}" in explanation.summary
    right = sealed(assumed).signature
    assert not any(right in candidate.signatures for candidate in explanation.mistakes)


@pytest.mark.parametrize("assumed", ASSUMPTION_SETS, ids=str)
def test_a_receiver_that_follows_the_assumption_is_told_that_it_is_right(
    assumed: dict[str, str],
) -> None:
    explanation = explained(assumed, sealed(assumed).signature)
    assert "The receiver computes the right signature" in explanation.summary
    places = {"header": "body-expected", "both": "place-missed"}
    missed = places.get(assumed.get("signature_location", ""), "header-expected")
    assert names(explanation) == [missed]


@pytest.mark.parametrize(
    ("assumed", "name", "where"),
    [
        (HEADER, "body-expected", "It is in the header X-Sig."),
        (BOTH, "place-missed", "in the body, beside the payload, and in the header X-Leanbe-Sig"),
        (BEHIND, "header-expected", "It is in the body"),
    ],
    ids=str,
)
@pytest.mark.parametrize("got", ["undefined", ""])
def test_a_receiver_that_found_no_signature_gets_its_place(
    assumed: dict[str, str], name: str, where: str, got: str
) -> None:
    explanation = explained(assumed, got)
    assert names(explanation) == [name]
    assert where in explanation.mistakes[0].what


@pytest.mark.parametrize("assumed", [BEHIND, BEFORE, ENVELOPE, {**BEFORE, **ENVELOPE}], ids=str)
def test_a_receiver_with_the_articles_formula_gets_the_assumption_and_the_line(
    assumed: dict[str, str],
) -> None:
    explanation = explained(assumed, digest(SECRET, TEXT))
    assert (explanation.verdict, names(explanation)) == (
        Verdict.MISTAKE_FOUND,
        ["assumption-ignored"],
    )
    mistake = explanation.mistakes[0]
    for name, value in assumed.items():
        assert f"{name}={value}" in mistake.what
    raw = sealed(assumed).body.encode()
    given = {"hmac": hmac, "hashlib": hashlib, "raw": raw, "secret": SECRET}
    right = json.loads(raw)["signature"]
    assert eval(mistake.fixes[Language.PYTHON], given) == right  # noqa: S307 - our own line


@pytest.mark.parametrize("assumed", [HEADER, BOTH, BEHIND, {**BEFORE, **ENVELOPE}], ids=str)
def test_another_secret_is_found_under_an_assumption_too(assumed: dict[str, str]) -> None:
    old = sealed(assumed, "whsec_old")
    assert names(explained(assumed, old.signature)) == ["other-secret"]
    foreign = explained(assumed, None, sent=old)
    assert (foreign.verdict, names(foreign)) == (Verdict.BODY_UNSOUND, ["other-secret"])


@pytest.mark.parametrize("assumed", [HEADER, ENVELOPE, BEHIND], ids=str)
def test_hashing_the_raw_body_is_named_under_an_assumption_too(assumed: dict[str, str]) -> None:
    explanation = explained(assumed, digest(SECRET, sealed(assumed).body))
    assert names(explanation) == ["raw-body-hashed"]
    signs_payload = "Hash the stringified payload alone" in explanation.mistakes[0].what
    assert signs_payload is (assumed is HEADER)


def test_a_digest_that_nothing_gives_is_compared_with_the_text_that_the_assumption_signs() -> None:
    rest = sealed({**HEADER, **ENVELOPE}).body
    explanation = explained(ENVELOPE, "a" * 64)
    assert explanation.verdict is Verdict.NONE_FITS
    assert hashlib.sha256(rest.encode()).hexdigest() in explanation.hint
    assert "signed_content=envelope-without-signature" in explanation.summary


def test_a_header_that_is_missing_is_named() -> None:
    other = (("Content-Type", "application/json"),)
    bare = SealedRequest(body=sealed(HEADER).body, headers=other, signature=None)
    explanation = explained(HEADER, None, sent=bare)
    assert explanation.verdict is Verdict.BODY_UNSOUND
    assert "no header X-Sig" in explanation.summary


def test_a_request_without_headers_says_that_no_header_was_given() -> None:
    bare = SealedRequest(body=sealed(HEADER).body, headers=(), signature=None)
    with pytest.raises(InvalidValue, match="the header X-Sig, and no header was given"):
        explained(HEADER, None, sent=bare)


def test_an_assumption_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue, match="signature_place") as refused:
        explained({"signature_place": "header"}, None, sent=sealed({}))
    assert "signature_location" in refused.value.hint


def test_other_assumptions_are_not_told() -> None:
    explanation = explained({**PRETTY, "max_attempts": "1"}, None)
    assert explanation.summary == "The body verifies with this secret."

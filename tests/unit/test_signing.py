"""The payload's exact text is signed, with the secret's own characters."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter import sign, sign_text, stringify
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import SignatureScheme

DATA = Path(__file__).parents[1] / "data"
PLAIN_PAYLOAD_FIRST = SignatureScheme.SHA256_PAYLOAD_SECRET
PLAIN_SECRET_FIRST = SignatureScheme.SHA256_SECRET_PAYLOAD


def article(name: str) -> Any:
    return json.loads((DATA / f"article-{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "size", "digest"),
    [
        ("customer", 1494, "1589678dd9e576b235eb900a8b3909050de0fd8a8f312d42c714798daeef32cf"),
        ("idea", 676, "2561f0d989f11d7e829f69aaa31026370a24e7c0f4f7a9c0d689d4d30c140387"),
    ],
)
def test_the_articles_payloads_have_the_golden_bytes(name: str, size: int, digest: str) -> None:
    written = stringify(article(name)).encode()
    assert (len(written), hashlib.sha256(written).hexdigest()) == (size, digest)


@pytest.mark.parametrize(
    ("name", "secret", "signature"),
    [
        (
            "customer",
            "whsec_test",
            "843492b650f39fcba75a8fed04e168f486907265adfb4181913aba2590035414",
        ),
        ("customer", "secret", "0b2e545585ab396cfa4745aa35cd8ec6d7612bcde81065543aaeb3c801ee2c06"),
        ("idea", "whsec_test", "c1164688eaf0fd7910d7f7314efcfd3b74aa65e90f97d2557b7f8227055ac272"),
        ("idea", "secret", "e16866e7833cc97036acef3be09c37e24c968eee2a68b35957ab1d700f541a4e"),
    ],
)
def test_the_articles_payloads_have_the_golden_signatures(
    name: str, secret: str, signature: str
) -> None:
    assert sign(article(name), secret) == signature


@pytest.mark.parametrize(
    ("name", "scheme", "signature"),
    [
        (
            "customer",
            PLAIN_PAYLOAD_FIRST,
            "f8d8e654f8d585f746fc1cd47173c8ceccbdc12df9a94554d2fbd8e55ee95772",
        ),
        (
            "customer",
            PLAIN_SECRET_FIRST,
            "c19fdb2b825265b127727cd93ab514945df56afd983ca4bc2520bd23b5177aaf",
        ),
        (
            "idea",
            PLAIN_PAYLOAD_FIRST,
            "e9e371eaa7164168dcf338949d190a2bd9c897e3de3e44ab909834fdd18fd837",
        ),
        (
            "idea",
            PLAIN_SECRET_FIRST,
            "a4d66221b231a3e052bcf94f2638d96fffd2d9a6691e9ff85ab2ec2630d2f73f",
        ),
    ],
)
def test_the_other_schemes_have_the_golden_signatures(
    name: str, scheme: SignatureScheme, signature: str
) -> None:
    assert sign_text(stringify(article(name)), "whsec_test", scheme=scheme) == signature


def test_the_secret_is_text_and_never_decoded() -> None:
    assert sign_text("{}", "61" * 32) != sign_text("{}", "a" * 32)


def test_a_lone_surrogate_in_a_secret_signs_as_it_does_in_node() -> None:
    assert sign_text("{}", "\ud800") == sign_text("{}", "\ufffd")


@pytest.mark.parametrize("secret", [None, b"whsec_test"])
def test_a_secret_that_is_no_text_is_named_by_its_type(secret: Any) -> None:
    with pytest.raises(InvalidValue, match=f"is of type {type(secret).__name__}, not str"):
        sign({}, secret)


def test_a_value_without_a_json_form_is_not_signed() -> None:
    with pytest.raises(InvalidValue, match=r"payload\.owner is of type set"):
        sign({"owner": set()}, "whsec_test")


@given(
    text=st.text(alphabet=st.characters(codec="utf-8")),
    secret=st.text("aé", min_size=1, max_size=9) | st.text("aé", min_size=60, max_size=70),
)
def test_a_signature_is_the_hmac_of_the_standard_library(text: str, secret: str) -> None:
    """Also where the secret is longer than a block of the hash, which has 64 bytes."""
    assert sign_text(text, secret) == hmac.digest(secret.encode(), text.encode(), "sha256").hex()

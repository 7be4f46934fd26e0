"""Why a signature does not match, asked over the API: of a delivery, and of any body."""

import base64
import hmac
import json
from collections.abc import Iterator
from functools import partial

import pytest

from leanbe_emitter import Delivery, Leanbe, sign_text
from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.look.tail import mistake_told_by_answer
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.testing.failure_report import failure_report
from tests.support.api_client import Api, open_api
from tests.support.scripted_transport import ScriptedTransport

pytestmark = pytest.mark.any_database

SECRET = "whsec_test"
WEBHOOK = {"url": "http://127.0.0.1:9/hooks", "secret": SECRET}


@pytest.fixture
def transport() -> ScriptedTransport:
    return ScriptedTransport()


@pytest.fixture
def api(database_url: str, transport: ScriptedTransport) -> Iterator[Api]:
    with open_api(database_url, transport=transport) as api:
        api("POST", "/products", {"name": "Acme", "webhook": WEBHOOK})
        yield api


@pytest.fixture
def delivery(api: Api) -> Delivery:
    """A delivery that was attempted."""
    api("POST", "/products/Acme/events", {"event": "idea.created"})
    api.leanbe.deliver()
    return api.leanbe.deliveries.last()


def raw(body: bytes) -> str:
    """The signature of a receiver that hashes the raw body."""
    return hmac.digest(SECRET.encode(), body, "sha256").hex()


def test_the_mistake_of_a_deliverys_receiver_is_named_with_its_repair(
    api: Api, delivery: Delivery
) -> None:
    got = raw(delivery.event.body)
    told = api("POST", f"/deliveries/{delivery.id[-6:]}/explain", {"got": got}).json()
    (mistake,) = told["mistakes"]
    assert (told["verdict"], mistake["signatures"]) == ("mistake-found", [got])
    assert "JSON.stringify(body.payload)" in mistake["javascript"]


def test_without_a_body_the_usual_mistakes_of_a_delivery_are_listed(
    api: Api, delivery: Delivery
) -> None:
    told = api("POST", f"/deliveries/{delivery.id}/explain").json()
    assert told["verdict"] == "body-sound"
    assert told["mistakes"][0]["signatures"] == [raw(delivery.event.body)]


def test_a_signature_in_the_answer_of_a_refusal_is_explained_by_itself(
    api: Api, transport: ScriptedTransport
) -> None:
    api("POST", "/products/Acme/events", {"event": "idea.created"})
    delivery = api.leanbe.deliveries.last()
    got = sign_text(json.dumps(delivery.event.payload), SECRET)
    refusal = Answer(status=401, reason="", body=f'{{"computed":"{got}"}}'.encode())
    transport.replies.append(refusal)
    api.leanbe.deliver()
    told = api("POST", f"/deliveries/{delivery.id}/explain").json()
    assert told["verdict"] == "mistake-found"
    assert [each["name"] for each in told["mistakes"]] == ["python-dumps"]
    assert told["mistakes"][0]["language"] == "python"
    line = attempt_line(api.leanbe, api.leanbe.deliveries.last())
    assert "refused" in line
    assert "You hash json.dumps(payload), which writes ë as" in line
    assert f"The repair: leanbe-emitter deliveries explain {delivery.id[-6:]}" in line
    assert "python-dumps" not in failure_report(api.leanbe)  # a word for programs
    assert "- You hash json.dumps(payload)" in failure_report(api.leanbe)
    assert "raw body" not in failure_report(api.leanbe)


def attempt_line(leanbe: Leanbe, delivery: Delivery) -> str:
    """Return what ``tail`` prints of the last attempt."""
    lines: list[str] = []
    printer = AttemptPrinter(
        OutputFormat.TABLE,
        notice=lines.append,
        line=lines.append,
        mistake_of=partial(mistake_told_by_answer, leanbe),
    )
    printer.ended(delivery.attempts[-1])
    return lines[-1]


def test_the_signed_text_is_what_a_receiver_has_to_hash(api: Api, delivery: Delivery) -> None:
    text = api("GET", f"/deliveries/{delivery.id}/signed").json()["text"]
    assert text == delivery.signed_text() == delivery.event.payload_text
    assert sign_text(text, SECRET) == json.loads(delivery.event.body)["signature"]


@pytest.mark.parametrize("is_attempted", [True, False])
def test_the_signed_text_follows_the_assumptions(api: Api, *, is_attempted: bool) -> None:
    assumed = {"signed_content": "envelope-without-signature", "pretty_body": True}
    api("POST", "/products/Acme/events", {"event": "idea.created", "assume": assumed})
    if is_attempted:
        api.leanbe.deliver()
    delivery = api.leanbe.deliveries.last()
    text = api("GET", f"/deliveries/{delivery.id}/signed").json()["text"]
    assert sign_text(text, SECRET) == json.loads(delivery.event.body)["signature"]
    assert text.startswith('{"payload":{')


def test_a_hashed_text_is_compared_with_the_signed_one(api: Api, delivery: Delivery) -> None:
    path = f"/deliveries/{delivery.id}/explain"
    wrong = json.dumps(delivery.event.payload)
    told = api("POST", path, {"hashed": wrong, "lang": "php"}).json()
    assert (told["verdict"], told["mistakes"][0]["language"]) == ("mistake-found", "php")
    assert "hash_hmac(" in told["mistakes"][0]["fix"]
    encoded = base64.b64encode(wrong.encode()).decode()
    assert api("POST", path, {"hashedBase64": encoded, "lang": "php"}).json() == told
    difference = told["difference"]
    assert difference["offset"] == wrong.index(": ") + 1
    assert difference["found"]["length"] == len(wrong.encode())
    other = api("POST", path, {"hashed": '{"other":1}'}).json()
    assert (other["verdict"], other["mistakes"]) == ("text-differs", [])
    right = api("POST", path, {"hashed": delivery.signed_text()}).json()
    assert (right["verdict"], right["difference"]) == ("text-right", None)
    asked = {"secret": SECRET, "body": delivery.event.body.decode(), "hashed": wrong}
    assert api("POST", "/explain", asked).json()["difference"] == difference


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"lang": "perl"}, "'perl'"),
        ({"hashedBase64": "a"}, "hashedBase64 is no base64"),
        ({"hashed": "", "hashedBase64": ""}, "both there"),
    ],
)
def test_a_comparison_that_is_impossible_is_refused(
    api: Api, delivery: Delivery, asked: dict[str, str], said: str
) -> None:
    refused = api("POST", f"/deliveries/{delivery.id}/explain", asked)
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


def test_an_old_secret_of_the_product_is_recognised(api: Api, delivery: Delivery) -> None:
    api("POST", "/products/Acme/webhook/rotate", {"secret": "whsec_new"})
    got = sign_text(delivery.event.payload_text, SECRET)
    told = api("POST", f"/deliveries/{delivery.id}/explain", {"got": got})
    assert "an old secret of this product" in told.json()["mistakes"][0]["what"]
    assert SECRET not in told.text


def test_a_receiver_that_has_the_new_secret_is_not_blamed(api: Api, delivery: Delivery) -> None:
    api("POST", "/products/Acme/webhook/rotate", {"secret": "whsec_new"})
    got = sign_text(delivery.event.payload_text, "whsec_new")
    told = api("POST", f"/deliveries/{delivery.id}/explain", {"got": got}).json()
    assert told["verdict"] == "body-unsound"
    assert "The receiver computes the right signature" in told["summary"]
    assert "an old secret of this product" in told["mistakes"][0]["what"]


@pytest.mark.parametrize("is_attempted", [True, False])
def test_a_delivery_is_explained_by_the_assumptions_it_was_made_under(
    api: Api, *, is_attempted: bool
) -> None:
    asked = {"event": "idea.created", "assume": {"signature_location": "header"}}
    api("POST", "/products/Acme/events", asked)
    if is_attempted:
        api.leanbe.deliver()
    delivery = api.leanbe.deliveries.last()
    told = api("POST", f"/deliveries/{delivery.id}/explain").json()
    assert told["verdict"] == "body-sound"
    assert "under signature_location=header" in told["summary"]
    missed = api("POST", f"/deliveries/{delivery.id}/explain", {"got": "undefined"}).json()
    assert [each["name"] for each in missed["mistakes"]] == ["body-expected"]


@pytest.mark.parametrize("path", ["/explain", "/deliveries/{reference}/explain"])
def test_the_example_of_an_explanation_agrees_with_itself(api: Api, path: str) -> None:
    operation = api.at("GET", "/openapi.json").json()["paths"][f"/api/v1{path}"]["post"]
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert example["verdict"] == "mistake-found"
    assert example["summary"] == "The receiver hashes another text, by a known mistake."
    assert example["difference"]["offset"] == 1
    assert [each["name"] for each in example["mistakes"]] == ["raw-body-hashed"]


def test_any_body_is_explained_with_the_secret_that_is_given(api: Api, delivery: Delivery) -> None:
    asked = {"secret": "whsec_other", "body": delivery.event.body.decode()}
    told = api("POST", "/explain", asked)
    assert told.json()["verdict"] == "body-unsound"
    assert "the secret of Acme" in told.json()["mistakes"][0]["what"]
    assert "whsec" not in told.text
    got = raw(delivery.event.body)
    right = api("POST", "/explain", {**asked, "secret": SECRET, "got": got}).json()
    assert (right["verdict"], right["mistakes"][0]["signatures"]) == ("mistake-found", [got])


def test_the_answer_is_the_librarys_explanation(api: Api, delivery: Delivery) -> None:
    told = api("POST", f"/deliveries/{delivery.id}/explain", {"got": "0" * 64}).json()
    assert told == json.loads(json.dumps(delivery.explain(got="0" * 64).document()))
    assert told["verdict"] == "none-fits"


def test_any_body_is_explained_by_the_assumptions_that_it_was_made_under(api: Api) -> None:
    assumed = {"signature_scheme": "sha256-payload-secret"}
    api("POST", "/products/Acme/events", {"event": "idea.created", "assume": assumed})
    event = api.leanbe.events.list()[0]
    asked = {"secret": SECRET, "body": event.body.decode()}
    assert api("POST", "/explain", asked).json()["verdict"] == "body-unsound"
    got = sign_text(event.payload_text, SECRET)
    told = api("POST", "/explain", {**asked, "got": got, "assumptions": assumed}).json()
    assert [each["name"] for each in told["mistakes"]] == ["assumption-ignored"]
    assert "under signature_scheme=sha256-payload-secret" in told["summary"]


def test_a_signature_that_stands_in_a_header_is_given_with_the_body(api: Api) -> None:
    assumed = {"signature_location": "header", "pretty_body": True}
    api("POST", "/products/Acme/events", {"event": "idea.created", "assume": assumed})
    event = api.leanbe.events.list()[0]
    asked = {"secret": SECRET, "body": event.body.decode(), "assumptions": assumed}
    told = api("POST", "/explain", {**asked, "headers": dict(event.headers)}).json()
    assert told["verdict"] == "body-sound"
    refused = api("POST", "/explain", asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert "X-Leanbe-Signature" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("assumed", "said"),
    [
        ({"signature_scheme": "md5"}, "'md5' is no value of signature_scheme"),
        ({"signature_sceme": "hmac"}, "There is no assumption 'signature_sceme'"),
        (["signature_scheme=hmac"], "assumptions is"),
    ],
)
def test_an_assumption_that_is_none_is_refused_as_a_products_is(
    api: Api, assumed: object, said: str
) -> None:
    asked = {"secret": SECRET, "body": "{}", "assumptions": assumed}
    refused = api("POST", "/explain", asked).json()
    of_product = api("POST", "/products", {"name": "Globex", "assumptions": assumed}).json()
    assert said in refused["detail"]
    assert refused == of_product


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"body": "{}"},
        {"secret": "", "body": "{}"},
        {"secret": SECRET, "body": {}},
        {"secret": SECRET, "body": "{}", "got": 5},
    ],
)
def test_a_body_that_cannot_be_explained_is_refused_without_the_secret(
    api: Api, asked: object
) -> None:
    answer = api("POST", "/explain", asked)
    assert answer.status_code == 422
    assert SECRET not in answer.text


def test_a_body_that_is_no_envelope_is_explained_as_that(api: Api) -> None:
    asked = b'{"secret": "whsec_test", "body": "\\ud800 no JSON"}'
    told = api("POST", "/explain", content=asked)
    assert told.json()["verdict"] == "body-unsound"


def test_headers_are_taken_as_the_api_gives_them_too(api: Api) -> None:
    asked = {"event": "idea.created", "assume": {"signature_location": "header"}}
    api("POST", "/products/Acme/events", asked)
    api.leanbe.deliver()
    shown = api("GET", f"/deliveries/{api.leanbe.deliveries.last().id}").json()["attempts"][0]
    pairs = shown["request"]["headers"]
    body = shown["request"]["body"]
    assume = {"signature_location": "header"}
    refused = {"secret": SECRET, "body": body, "assumptions": assume}
    told = [
        api("POST", "/explain", {**refused, "headers": headers}).json()
        for headers in (dict(pairs), pairs)
    ]
    assert told[0] == told[1]
    assert told[1]["verdict"] == "body-sound"


@pytest.mark.parametrize("headers", [["Host"], [["Host"]], [["Host", 1]], "Host"])
def test_a_value_that_is_no_list_of_headers_is_refused(api: Api, headers: object) -> None:
    refused = api("POST", "/explain", {"secret": SECRET, "body": "{}", "headers": headers})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("headers is ")


@pytest.mark.parametrize(
    ("fault", "secret", "verifies"),
    [
        (None, "current", True),
        ("wrong_secret", "other", False),
        ("tampered_payload", "current", False),
        ("missing_signature", None, False),
        ("truncated_body", None, False),
        ("unknown_field", "current", True),
    ],
)
def test_the_steps_of_a_signature_name_its_secret_and_the_fault(
    api: Api, fault: str | None, secret: str | None, *, verifies: bool
) -> None:
    if fault is not None:
        api("POST", "/faults", {"kind": fault})
    api("POST", "/products/Acme/events", {"event": "idea.created"})
    api.leanbe.deliver()
    delivery = api.leanbe.deliveries.last()
    steps = api("GET", f"/deliveries/{delivery.id}/signature").json()
    assert (steps["secret"], steps["verifies"], steps["fault"]) == (secret, verifies, fault)
    if secret == "current":
        assert sign_text(steps["signedText"], SECRET) == steps["signature"]
    assert (steps["scheme"], steps["content"], steps["location"]) == ("hmac", "payload", "body")
    assert (steps["signedText"] is None) is (fault == "truncated_body")


def test_the_steps_of_a_signature_follow_secret_assumptions_and_attempt(
    api: Api, delivery: Delivery
) -> None:
    path = f"/deliveries/{delivery.id}/signature"
    assert api("GET", f"{path}?attempt=1").json() == api("GET", path).json()
    for wrong, status in (("2", 404), ("0", 422), ("x", 422), ("9999999999", 422)):
        for what in ("signature", "code"):
            answer = api("GET", f"/deliveries/{delivery.id}/{what}?attempt={wrong}")
            assert answer.status_code == status
    assert api("POST", f"/deliveries/{delivery.id}/explain", {"attempt": 2}).status_code == 404
    assert api("POST", f"/deliveries/{delivery.id}/explain", {"attempt": 1}).is_success
    api("POST", "/products/Acme/webhook/rotate")
    rotated = api("GET", path).json()
    assert (rotated["secret"], rotated["verifies"]) == ("earlier", False)
    assumed = {"signature_location": "header", "signature_scheme": "sha256-payload-secret"}
    other = api("POST", "/products/Acme/events", {"event": "okr.created", "assume": assumed}).json()
    steps = api("GET", f"/deliveries/{other['delivery']['_id']}/signature").json()
    assert (steps["location"], steps["secret"], steps["verifies"]) == ("header", "current", True)
    assert steps["assumptions"] == assumed

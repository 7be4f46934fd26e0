"""The sender: from a claimed delivery to a request, and from its answer to a settlement.

Each assumption that steers an attempt is shown to change it; the article's values do not.
"""

import asyncio
import random

import pytest

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.attempt.retry_schedule import JITTER
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.network.transport import USER_AGENT, Answer, Unknown, Unreachable
from leanbe_emitter.delivery.queue_types import Settlement
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.envelope import payload_text_of, verify
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.signing import sign_text
from tests.support.engine_setup import SECRET, URL, Bench, claim, new_event
from tests.support.scripted_transport import OK, ActingTransport, Reply, ScriptedTransport

pytestmark = pytest.mark.any_database

REFUSED = Answer(status=500, reason="Internal Server Error")


class Try:
    """One product's event, attempted again and again."""

    def __init__(self, bench: Bench, *replies: Reply, **assume: str) -> None:
        self.bench = bench
        self.product = bench.product(headers={"X-Team": "blue"}, **assume)
        self.transport = ScriptedTransport(*replies)
        self.queue = bench.queue()
        self.jitter: random.Random | None = None

    def record(self, *, document_updated_at: int = 0, **assumptions: str) -> "Try":
        (recorded,) = self.bench.record(
            new_event(
                self.product, document_updated_at=document_updated_at, assumptions=assumptions
            )
        )
        assert recorded.delivery_id is not None
        self.delivery = recorded.delivery_id
        self.event = self.bench.event(recorded.event_id)
        return self

    def attempt(self) -> Settlement:
        """Let the delivery's time come, and make its next attempt."""
        row = self.bench.delivery(self.delivery)
        self.bench.clock.set(max(self.bench.clock.now(), from_milliseconds(row.due_at)))
        self.queue.wake()
        (claimed,) = claim(self.queue)
        sender = Sender(
            self.transport, clock=self.bench.clock, jitter=self.jitter, rules=TargetRules()
        )
        settlement = asyncio.run(sender.send(claimed))
        assert self.queue.settle([settlement]) == set()
        return settlement

    @property
    def waits(self) -> float:
        """The seconds that the delivery waits now."""
        return (self.bench.delivery(self.delivery).due_at - self.bench.now) / 1000


def test_every_attempt_sends_the_stored_bytes(bench: Bench) -> None:
    it = Try(bench, REFUSED, Unknown("no answer"), REFUSED).record()
    bench.rotate(it.product, "whsec_new")
    for _ in range(4):
        it.attempt()
    assert {each.body for each in it.transport.requests} == {it.event.body.encode()}
    assert verify(it.transport.requests[-1].body, SECRET).event == "idea.created"
    assert [each.request_body for each in bench.attempts(it.delivery)] == [None] * 4
    assert bench.state(it.delivery) is DeliveryState.DELIVERED


def test_a_request_is_as_the_contract_says(bench: Bench) -> None:
    it = Try(bench).record()
    it.attempt()
    (request,) = it.transport.requests
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers == (
        ("Host", "127.0.0.1:1"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(request.body))),
        ("User-Agent", USER_AGENT),
        ("X-Team", "blue"),
    )
    assert (request.timeout_seconds, request.connect_timeout_seconds) == (10, 5)
    assert (request.tls.ca_file, request.tls.insecure) == (None, False)


def test_the_evidence_is_whole(bench: Bench) -> None:
    answer = Answer(
        status=503,
        headers=(("Server", "a"), ("X-Y", "é")),
        body=b"\x00busy",
        body_length=70_000,
        remark="its body was cut off",
    )
    it = Try(bench, answer).record()
    it.attempt()
    (attempt,) = bench.attempts(it.delivery)
    (request,) = it.transport.requests
    assert (attempt.number, attempt.outcome, attempt.url) == (1, Outcome.REFUSED, URL)
    assert attempt.started_at == bench.now
    assert attempt.duration_us >= 0
    assert [tuple(each) for each in attempt.request_headers] == list(request.headers)
    assert attempt.answer_status == 503
    assert attempt.answer_headers == [["Server", "a"], ["X-Y", "é"]]
    assert (attempt.answer_body, attempt.answer_length) == (b"\x00busy", 70_000)
    assert (attempt.error, attempt.fault) == ("its body was cut off", None)
    assert attempt.deviations == {}


@pytest.mark.parametrize(
    ("reply", "outcome", "status", "error"),
    [
        (OK, Outcome.DELIVERED, 204, None),
        (REFUSED, Outcome.REFUSED, 500, None),
        (Unreachable("connection refused"), Outcome.UNREACHABLE, None, "connection refused"),
        (Unknown("no answer"), Outcome.UNKNOWN, None, "no answer"),
        (Unknown("cut off", answer=Answer(status=200)), Outcome.UNKNOWN, 200, "cut off"),
    ],
)
def test_an_attempt_comes_to_one_of_four(
    bench: Bench, reply: Reply, outcome: Outcome, status: int | None, error: str | None
) -> None:
    it = Try(bench, reply).record()
    it.attempt()
    (attempt,) = bench.attempts(it.delivery)
    assert (attempt.outcome, attempt.answer_status, attempt.error) == (outcome, status, error)
    is_over = outcome is Outcome.DELIVERED
    assert bench.state(it.delivery).is_end is is_over


def test_by_the_article_waits_are_those_of_the_contract(bench: Bench) -> None:
    it = Try(bench, *[REFUSED] * 5).record()
    waits = []
    for _ in range(5):
        it.attempt()
        waits.append(it.waits)
    assert waits[:4] == [5, 30, 120, 600]
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED
    assert [each.number for each in bench.attempts(it.delivery)] == [1, 2, 3, 4, 5]


def test_waits_stray_by_a_tenth_and_are_stored(bench: Bench) -> None:
    it = Try(bench, REFUSED).record()
    it.jitter = random.Random(3)
    it.attempt()
    assert 5 * (1 - JITTER) <= it.waits <= 5 * (1 + JITTER)
    assert it.waits != 5


@pytest.mark.parametrize(
    ("status", "asked", "waits"),
    [(503, "60", 60), (429, "1", 5), (503, "86400", 3600), (500, "60", 5)],
)
def test_a_receiver_may_ask_for_time(bench: Bench, status: int, asked: str, waits: int) -> None:
    it = Try(bench, Answer(status=status, headers=(("retry-after", asked),))).record()
    it.attempt()
    assert it.waits == waits


def test_a_vanished_attempt_does_not_count_against_the_schedule(bench: Bench) -> None:
    it = Try(bench, REFUSED, REFUSED, max_attempts="2").record()
    claim(it.queue)
    bench.expire_leases(it.queue)
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.WAITING
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED
    assert len(bench.attempts(it.delivery)) == 3


# What shapes the bytes is settled when the event is recorded (d-1, d-2, d-4, d-6, d-25).


@pytest.mark.parametrize("location", ["header", "both"])
def test_d_1_the_signature_stands_where_the_assumption_says(bench: Bench, location: str) -> None:
    it = Try(bench, signature_location=location, signature_header="X-Signed").record()
    it.attempt()
    (request,) = it.transport.requests
    signature = dict(request.headers)["X-Signed"]
    assert signature == sign_text(payload_text_of(it.event.body), SECRET)
    assert (signature.encode() in request.body) is (location == "both")
    assert bench.attempts(it.delivery)[0].deviations["signature_location"] == location


def test_d_2_another_scheme_signs_otherwise(bench: Bench) -> None:
    it = Try(bench, signature_scheme="sha256-payload-secret").record()
    it.attempt()
    body = it.transport.requests[0].body.decode()
    assert sign_text(payload_text_of(body), SECRET) not in body


def test_d_4_the_time_is_printed_by_the_assumption(bench: Bench) -> None:
    it = Try(bench, triggered_at="la-offset").record()
    it.attempt()
    assert b'"triggeredAt":"2026-11-24T00:00:00.000-08:00"' in it.transport.requests[0].body


def test_d_6_method_and_content_type_are_the_assumptions(bench: Bench) -> None:
    it = Try(bench, method="PUT", content_type="text/plain").record()
    it.attempt()
    (request,) = it.transport.requests
    assert request.method == "PUT"
    assert [value for name, value in request.headers if name == "Content-Type"] == ["text/plain"]


def test_d_25_an_indented_body_is_still_signed_as_the_article_says(bench: Bench) -> None:
    it = Try(bench, pretty_body="true").record()
    it.attempt()
    body = it.transport.requests[0].body
    assert body.startswith(b'{\n  "payload": {\n')
    assert verify(body, SECRET).event == "idea.created"


def test_assumptions_about_the_bytes_are_read_when_the_event_is_recorded(bench: Bench) -> None:
    it = Try(bench).record()
    bench.assume(it.product, method="PUT", pretty_body="true", signature_location="header")
    it.attempt()
    (request,) = it.transport.requests
    assert (request.method, request.body) == ("POST", it.event.body.encode())
    assert bench.attempts(it.delivery)[0].deviations == {}


# What steers delivery is read when the attempt is made (d-5, d-7, d-29, d-30).


def test_assumptions_about_delivery_are_read_when_the_attempt_is_made(bench: Bench) -> None:
    it = Try(bench, REFUSED).record()
    bench.assume(it.product, max_attempts="1", timeout="2s")
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED
    assert it.transport.requests[0].timeout_seconds == 2
    deviations = bench.attempts(it.delivery)[0].deviations
    assert deviations == {"max_attempts": "1", "timeout": "2s"}


def test_an_assumption_of_the_request_beats_the_products_at_every_attempt(bench: Bench) -> None:
    it = Try(bench, REFUSED, REFUSED, max_attempts="1").record(max_attempts="2")
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.WAITING
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED
    assert bench.attempts(it.delivery)[1].deviations == {"max_attempts": "2"}


def test_d_5_every_retry_may_have_a_time_of_its_own(bench: Bench) -> None:
    it = Try(bench, REFUSED, REFUSED, restamp_on_retry="true").record()
    bench.clock.advance(seconds=1)
    it.attempt()
    it.attempt()
    first, second = (each.body for each in it.transport.requests)
    assert first == it.event.body.encode()
    assert verify(second, SECRET).payload == verify(first, SECRET).payload
    assert verify(second, SECRET).triggered_at == print_instant(bench.clock.now())
    assert verify(second, SECRET).triggered_at > verify(first, SECRET).triggered_at
    kept = [each.request_body for each in bench.attempts(it.delivery)]
    assert kept == [None, second.decode()]


def test_d_5_a_retry_is_never_earlier_than_its_event(bench: Bench) -> None:
    it = Try(bench, REFUSED, restamp_on_retry="true").record(document_updated_at=bench.now + 60_000)
    it.attempt()
    it.attempt()
    first, second = (verify(each.body, SECRET).triggered_at for each in it.transport.requests)
    assert first == second == print_instant(from_milliseconds(it.event.triggered_at))


def test_d_5_what_is_restamped_keeps_the_shape_it_was_recorded_in(bench: Bench) -> None:
    it = Try(bench, REFUSED, restamp_on_retry="true", pretty_body="true").record()
    it.attempt()
    bench.assume(it.product, restamp_on_retry="true", triggered_at="la-offset")
    it.attempt()
    first, second = (each.body for each in it.transport.requests)
    assert second.startswith(b'{\n  "payload": {\n')
    assert verify(second, SECRET).triggered_at.endswith("Z")
    assert len(second) == len(first)
    assert ("X-Team", "blue") in it.transport.requests[1].headers


def test_d_29_what_waits_may_be_signed_again_after_a_rotation(bench: Bench) -> None:
    it = Try(bench, REFUSED, resign_queued="true").record()
    it.attempt()
    bench.rotate(it.product, "whsec_new")
    it.attempt()
    first, second = (each.body for each in it.transport.requests)
    assert first == it.event.body.encode()
    assert verify(second, "whsec_new").triggered_at == verify(first, SECRET).triggered_at
    kept = [each.request_body for each in bench.attempts(it.delivery)]
    assert kept == [None, second.decode()]


def test_d_29_a_signature_in_a_header_is_replaced_by_the_new_one(bench: Bench) -> None:
    it = Try(bench, resign_queued="true", signature_location="header").record()
    bench.rotate(it.product, "whsec_new")
    it.attempt()
    (request,) = it.transport.requests
    found = [value for name, value in request.headers if name == "X-Leanbe-Signature"]
    assert found == [sign_text(payload_text_of(it.event.body), "whsec_new")]
    assert ("X-Team", "blue") in request.headers


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.DELIVERED), (201, Outcome.REFUSED), (204, Outcome.REFUSED)],
)
def test_d_7_only_200_may_be_success(bench: Bench, status: int, outcome: Outcome) -> None:
    it = Try(bench, Answer(status=status), success="200-only").record()
    it.attempt()
    assert bench.attempts(it.delivery)[0].outcome is outcome


@pytest.mark.parametrize("status", [200, 201, 299])
def test_d_7_by_the_article_every_2xx_is_success(bench: Bench, status: int) -> None:
    it = Try(bench, Answer(status=status)).record()
    it.attempt()
    assert bench.attempts(it.delivery)[0].outcome is Outcome.DELIVERED


def test_d_7_a_backoff_of_ones_own(bench: Bench) -> None:
    it = Try(bench, *[REFUSED] * 3, backoff="1s,2s", max_attempts="3").record()
    it.attempt()
    assert it.waits == 1
    it.attempt()
    assert it.waits == 2
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED


MOVED = Answer(status=307, headers=(("Location", "http://127.0.0.1:1/moved"),))


def test_d_7_redirects_may_be_followed(bench: Bench) -> None:
    it = Try(bench, MOVED, OK, follow_redirects="true").record()
    it.attempt()
    assert [each.url for each in it.transport.requests] == [URL, "http://127.0.0.1:1/moved"]
    (attempt,) = bench.attempts(it.delivery)
    assert (attempt.outcome, attempt.url) == (Outcome.DELIVERED, URL)
    assert "http://127.0.0.1:1/moved" in (attempt.error or "")


def test_d_7_by_the_article_a_redirect_is_a_refusal(bench: Bench) -> None:
    it = Try(bench, MOVED).record()
    it.attempt()
    assert len(it.transport.requests) == 1
    assert bench.attempts(it.delivery)[0].outcome is Outcome.REFUSED


def test_d_30_gone_may_end_the_retries(bench: Bench) -> None:
    it = Try(bench, Answer(status=410), stop_on_gone="true").record()
    it.attempt()
    assert bench.state(it.delivery) is DeliveryState.EXHAUSTED


def test_d_30_by_the_article_gone_is_a_refusal_like_others(bench: Bench) -> None:
    it = Try(bench, Answer(status=410)).record()
    it.attempt()
    assert (bench.state(it.delivery), it.waits) == (DeliveryState.WAITING, 5)


def test_retries_go_to_the_present_url_and_its_trust(bench: Bench) -> None:
    it = Try(bench, REFUSED).record()
    it.attempt()
    bench.set_url(it.product, "https://127.0.0.1:2/new")
    it.attempt()
    assert it.transport.requests[1].url == "https://127.0.0.1:2/new"
    assert dict(it.transport.requests[1].headers)["Host"] == "127.0.0.1:2"
    assert [each.url for each in bench.attempts(it.delivery)] == [URL, "https://127.0.0.1:2/new"]


def test_a_delivery_is_due_from_the_end_of_its_attempt(bench: Bench) -> None:
    """A receiver that takes ten seconds to refuse is not called again after five more."""
    it = Try(bench).record()
    it.transport = ActingTransport(lambda: bench.clock.advance(seconds=10), REFUSED)
    began = bench.now
    it.attempt()
    assert bench.delivery(it.delivery).due_at == began + 15_000
    assert bench.attempts(it.delivery)[0].started_at == began

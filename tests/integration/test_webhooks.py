"""Webhook settings: contract c.1, d-9, d-27 and d-29, on every database."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from leanbe_emitter import (
    Conflict,
    InvalidTarget,
    InvalidValue,
    Leanbe,
    LeanbeError,
    NotFound,
    Product,
    TriggerRequest,
    sign_text,
    verify,
)
from tests.support.concurrency import call_at_once, until_somebody_waits
from tests.support.loopback_receiver import LoopbackReceiver

pytestmark = pytest.mark.any_database

URL = "http://127.0.0.1:9/hooks"
OTHER_URL = "http://127.0.0.1:9/elsewhere"
HEX_DIGITS = set("0123456789abcdef")


def retired_secrets(leanbe: Leanbe) -> list[str]:
    """Return the secrets that are used no more, oldest first."""
    with leanbe._transactions.looking() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT secret FROM retired_secrets ORDER BY id"
        )
        return [row[0] for row in rows]


def record(leanbe: Leanbe, *events: str) -> list[str]:
    """Record events without delivering them; return their deliveries' statuses, or ``nothing``."""
    triggered = leanbe.trigger_all(TriggerRequest(events=events or ["idea.created"]), deliver=False)
    return [each.delivery.status if each.delivery else "nothing" for each in triggered]


def test_the_first_url_brings_a_secret_of_64_hex_digits(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme")
    secret = leanbe.webhooks.set("Acme", URL).secret
    assert secret is not None
    assert len(secret) == 64
    assert set(secret) <= HEX_DIGITS
    assert leanbe.products.get("Acme").webhook.secret == secret


def test_two_products_get_two_secrets(leanbe: Leanbe) -> None:
    secrets = {leanbe.products.create(name, webhook_url=URL).webhook.secret for name in "ab"}
    assert len(secrets) == 2


def test_changing_the_url_keeps_the_secret(leanbe: Leanbe) -> None:
    before = leanbe.products.create("Acme", webhook_url=URL).webhook
    after = leanbe.webhooks.set("Acme", OTHER_URL)
    assert (after.url, after.secret) == (OTHER_URL, before.secret)
    assert retired_secrets(leanbe) == []


def test_under_its_assumption_a_changed_url_brings_another_secret(leanbe: Leanbe) -> None:
    assumptions = {"regenerate_secret_on_url_change": "true"}
    before = leanbe.products.create("Acme", webhook_url=URL, assume=assumptions).webhook
    assert leanbe.webhooks.set("Acme", URL).secret == before.secret
    after = leanbe.webhooks.set("Acme", OTHER_URL)
    assert after.secret != before.secret
    assert retired_secrets(leanbe) == [before.secret]


def test_a_secret_of_the_callers_own_is_used_as_it_is(leanbe: Leanbe) -> None:
    own = '  whsec_ü😀 "quoted"\n'
    leanbe.products.create("Acme", webhook_url=URL)
    assert leanbe.webhooks.set("Acme", URL, secret=own).secret == own


def test_rotating_generates_another_secret_and_keeps_the_old_one_on_record(leanbe: Leanbe) -> None:
    before = leanbe.products.create("Acme", webhook_url=URL).webhook
    after = leanbe.webhooks.rotate("Acme")
    assert after.url == URL
    assert after.secret not in {None, before.secret}
    assert leanbe.webhooks.rotate("Acme", secret="whsec_mine").secret == "whsec_mine"
    assert retired_secrets(leanbe) == [before.secret, after.secret]


def test_the_same_secret_again_retires_nothing(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook_url=URL, secret="whsec_mine")
    leanbe.webhooks.rotate("Acme", secret="whsec_mine")
    assert retired_secrets(leanbe) == []


def test_there_is_nothing_to_rotate_before_the_first_url(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme")
    with pytest.raises(Conflict, match="no secret yet"):
        leanbe.webhooks.rotate("Acme")


def test_clearing_keeps_the_secret_for_when_a_url_comes_back(leanbe: Leanbe) -> None:
    before = leanbe.products.create("Acme", webhook_url=URL).webhook
    cleared = leanbe.webhooks.clear("Acme")
    assert (cleared.url, cleared.secret) == (None, before.secret)
    assert leanbe.webhooks.clear("Acme") == cleared
    assert leanbe.webhooks.rotate("Acme", secret="whsec_mine").secret == "whsec_mine"
    assert leanbe.webhooks.set("Acme", URL).secret == "whsec_mine"


def test_clearing_cancels_what_is_pending_and_nothing_else(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    other = leanbe.products.create("Other", webhook_url=receiver.url)
    accepted = leanbe.trigger("idea.created", product=product)
    receiver.statuses.append(500)
    waiting = leanbe.trigger("idea.updated", product=product)
    triggered = [
        *leanbe.trigger_all(
            TriggerRequest(events=["idea.deleted"], product=product), deliver=False
        ),
        *leanbe.trigger_all(TriggerRequest(events=["okr.created"], product=other), deliver=False),
    ]
    new, others = (each.delivery for each in triggered)
    leanbe.webhooks.clear(product)
    assert new is not None
    assert others is not None
    statuses = [
        each.status for each in leanbe.deliveries.of([accepted.id, waiting.id, new.id, others.id])
    ]
    assert statuses == ["delivered", "cancelled", "cancelled", "pending"]


def test_without_a_url_events_are_recorded_and_setting_one_replays_nothing(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    leanbe.products.create("Acme")
    assert record(leanbe, "idea.created", "idea.updated") == ["nothing", "nothing"]
    leanbe.webhooks.set("Acme", receiver.url)
    assert leanbe.deliver() == []
    assert leanbe.trigger("idea.deleted").event.sequence == 3
    assert len(receiver.requests) == 1


def test_a_queued_event_keeps_its_signature_and_goes_to_the_present_url(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    leanbe.products.create("Acme", webhook_url=URL, secret="whsec_old")
    record(leanbe)
    leanbe.webhooks.rotate("Acme", secret="whsec_new")
    leanbe.webhooks.set("Acme", receiver.url)
    leanbe.deliver()
    assert receiver.requests[0].verified("whsec_old").event == "idea.created"


def test_under_resign_queued_what_is_queued_is_signed_anew(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    leanbe.products.create(
        "Acme", webhook_url=receiver.url, secret="whsec_old", assume={"resign_queued": "true"}
    )
    record(leanbe)
    leanbe.webhooks.rotate("Acme", secret="whsec_new")
    (attempt,) = leanbe.deliver()
    assert receiver.requests[0].verified("whsec_new").event == "idea.created"
    assert receiver.bodies == [attempt.request_body]
    assert attempt.assumptions == {"resign_queued": "true"}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "http"),
        ("example.com/hooks", "http"),
        ("http://169.254.169.254/latest", "169.254"),
        ("http://0.0.0.0/", "0.0.0.0"),
        ("http://ana:hush@example.com/", "credentials|user"),
        ("http://example.com/#part", "fragment"),
        ("http://example.com:99999/", "port"),
        ("http://exa\nmple.com/", "character|control"),
        ("", "http|empty"),
    ],
)
def test_a_url_that_must_not_be_called_is_refused_with_the_reason(
    leanbe: Leanbe, url: str, reason: str
) -> None:
    before = leanbe.products.create("Acme", webhook_url=URL).webhook
    with pytest.raises(InvalidTarget, match=reason) as caught:
        leanbe.webhooks.set("Acme", url)
    assert "hush" not in str(caught.value)
    assert caught.value.hint
    assert leanbe.products.get("Acme").webhook == before


def test_https_can_be_required(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", assume={"require_https": "true"})
    with pytest.raises(InvalidTarget, match="https"):
        leanbe.webhooks.set("Acme", URL)
    assert leanbe.webhooks.set("Acme", "https://127.0.0.1:9/").url == "https://127.0.0.1:9/"


@pytest.mark.parametrize("secret", ["", "nul \0 hush", "half \ud83d hush"])
def test_a_secret_that_is_refused_is_not_shown(leanbe: Leanbe, secret: str) -> None:
    leanbe.products.create("Acme", webhook_url=URL, secret="whsec_mine")
    for refused in (
        partial(leanbe.webhooks.set, "Acme", URL, secret=secret),
        partial(leanbe.webhooks.rotate, "Acme", secret=secret),
    ):
        with pytest.raises(InvalidValue) as caught:
            refused()
        assert "hush" not in f"{caught.value}{caught.value!r}"
    assert leanbe.products.get("Acme").webhook.secret == "whsec_mine"


def test_headers_go_with_every_request_until_they_are_set_anew(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.webhooks.set(product, receiver.url, headers=[("X-Environment", "test")])
    leanbe.webhooks.set(product, receiver.url)
    leanbe.trigger("idea.created")
    leanbe.webhooks.set(product, receiver.url, headers=[])
    leanbe.trigger("idea.created")
    assert [each.headers.get("X-Environment") for each in receiver.requests] == ["test", None]


@pytest.mark.parametrize("header", [("X Y", "v"), ("Content-Length", "1"), ("X-A", "a\nb: hush")])
def test_a_header_that_cannot_be_one_is_refused(leanbe: Leanbe, header: tuple[str, str]) -> None:
    leanbe.products.create("Acme")
    with pytest.raises(InvalidValue) as caught:
        leanbe.webhooks.set("Acme", URL, headers=[header])
    assert "hush" not in str(caught.value)
    assert leanbe.products.get("Acme").webhook.url is None


def test_a_webhook_trusts_the_system_a_file_or_anybody(leanbe: Leanbe, tmp_path: Path) -> None:
    ca_file = tmp_path / "authority.pem"
    ca_file.write_text("-----BEGIN CERTIFICATE-----")
    leanbe.products.create("Acme", webhook_url=URL)
    settings = [
        leanbe.webhooks.set("Acme", URL, ca_file=str(ca_file)),
        leanbe.webhooks.set("Acme", OTHER_URL),
        leanbe.webhooks.set("Acme", URL, insecure=True),
        leanbe.webhooks.set("Acme", URL, ca_file=str(ca_file)),
        leanbe.webhooks.set("Acme", URL, insecure=False),
    ]
    file = (str(ca_file), False)
    trusted = [(each.ca_file, each.insecure) for each in settings]
    assert trusted == [file, file, (None, True), file, (None, False)]


def test_a_file_of_authorities_has_to_be_there_and_excludes_insecure(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook_url=URL)
    told = set()
    for ca_file in (
        "no-such.pem",
        "nul\0.pem",
        pytest.__file__,
        "/",
        "/proc/self/mem",
        "~nobody-there/x",
    ):
        with pytest.raises(InvalidValue) as caught:
            leanbe.webhooks.set("Acme", URL, ca_file=ca_file)
        told.add(caught.value.message.replace(repr(ca_file), "FILE"))
    assert "FILE cannot be used as a file of authorities." in told
    assert len(told) == 2  # of the one that no database can store
    with pytest.raises(InvalidValue, match="contradict"):
        leanbe.webhooks.set("Acme", URL, ca_file=__file__, insecure=True)


def test_secrets_are_in_no_repr_and_no_log(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    leanbe.webhooks.set(product, receiver.url, headers=[("Authorization", "Bearer hush")])
    webhook = leanbe.webhooks.rotate(product, secret="whsec_hush")
    receiver.statuses.append(500)
    delivery = leanbe.trigger("idea.created")
    leanbe.webhooks.clear(product)
    shown = [repr(each) for each in (webhook, webhook.document(), delivery, delivery.event)]
    shown += [repr(attempt) for attempt in delivery.attempts]
    assert not any("hush" in text or "whsec_test" in text for text in (*shown, caplog.text))


def test_a_webhook_of_no_product_is_not_found(leanbe: Leanbe) -> None:
    for call in (leanbe.webhooks.rotate, leanbe.webhooks.clear):
        with pytest.raises(NotFound):
            call("Acme")


# Two at the same time, on the database that lets them.


def test_an_event_recorded_during_a_rotation_is_signed_with_the_secret_after_it(
    postgresql_ready: str,
) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        one.products.create("Acme", webhook_url=URL, secret="whsec_old")
        with ThreadPoolExecutor(1) as thread:
            with one.transaction():
                one.webhooks.rotate("Acme", secret="whsec_new")
                recording = thread.submit(record, other)
                until_somebody_waits(postgresql_ready)
            assert recording.result() == ["pending"]
        assert verify(one.deliveries.last().event.body, "whsec_new").event == "idea.created"


def test_a_rotation_during_a_recording_comes_after_it(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        one.products.create("Acme", webhook_url=URL, secret="whsec_old")
        with ThreadPoolExecutor(1) as thread:
            with one.transaction():
                record(one)
                rotation = thread.submit(other.webhooks.rotate, "Acme")
                until_somebody_waits(postgresql_ready)
            rotation.result()
        assert verify(one.deliveries.last().event.body, "whsec_old").event == "idea.created"


def test_an_event_recorded_while_a_webhook_is_cleared_has_an_earlier_delivery_or_none(
    postgresql_ready: str,
) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        one.products.create("Acme", webhook_url=URL)
        with ThreadPoolExecutor(1) as thread:
            with one.transaction():
                record(one)
                clearing = thread.submit(other.webhooks.clear, "Acme")
                until_somebody_waits(postgresql_ready)
            clearing.result()
            assert one.deliveries.last().status == "cancelled"
            one.webhooks.set("Acme", URL)
            with one.transaction():
                one.webhooks.clear("Acme")
                recording = thread.submit(record, other)
                until_somebody_waits(postgresql_ready)
            assert recording.result() == ["nothing"]


def test_a_product_that_is_deleted_meanwhile_is_not_found(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        product = one.products.create("Acme", webhook_url=URL)
        with ThreadPoolExecutor(2) as threads:
            with one.transaction():
                one.products.delete(product)
                change = threads.submit(other.assumptions.set, "method", "PUT", product=product)
                recording = threads.submit(record, other)
                until_somebody_waits(postgresql_ready)
            assert isinstance(change.exception(), NotFound)
            assert isinstance(recording.exception(), NotFound)


def test_concurrent_actions_leave_events_that_verify_with_a_secret_of_their_time(
    database_url: str,
) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as other:
        one.products.create("Acme", webhook_url=URL, secret="whsec_0")
        for n in range(1, 9):
            results = call_at_once(
                partial(record, one), partial(other.webhooks.rotate, "Acme", secret=f"whsec_{n}")
            )
            assert not any(isinstance(result, LeanbeError) for result in results)
            event = one.deliveries.last().event
            signed = {
                sign_text(event.payload_text, secret) for secret in (f"whsec_{n - 1}", f"whsec_{n}")
            }
            assert signature_of(event.body) in signed


def signature_of(body: bytes) -> str:
    """Return the signature that stands at a body's end."""
    return body.decode().rpartition('"signature":"')[2].removesuffix('"}')

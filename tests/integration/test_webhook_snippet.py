"""The snippet for Debian's program ``webhook`` verifies with openssl, and acts once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.running_snippets import SECRET, SnippetProcess, run_as_told
from tests.support.signed_bodies import HARD, PAYLOAD, body, sealed

pytestmark = pytest.mark.webhook


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnippetProcess]:
    """The program, with the snippet as its file of hooks."""
    with run_as_told("webhook", tmp_path_factory.mktemp("webhook")) as running:
        yield running


def titles(receiver: SnippetProcess) -> list[str]:
    """Return the titles of the ideas that it has noted."""
    noted = receiver.folder / "ideas.jsonl"
    lines = noted.read_text("utf-8").splitlines() if noted.exists() else []
    return [json.loads(each)["title"] for each in lines]


def test_it_accepts_all_22_events(receiver: SnippetProcess) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", secret=SECRET, webhook_url=receiver.url)
        for name in EVENT_NAMES:
            delivery = leanbe.trigger(name)
            assert delivery.delivered, delivery.attempts


@pytest.mark.prove
def test_it_accepts_the_payloads_that_serialisers_write_in_other_ways(
    receiver: SnippetProcess,
) -> None:
    assert {text: receiver.status(sealed(text)) for text in HARD} == dict.fromkeys(HARD, 204)


def test_it_acts_once_on_what_comes_several_times_at_the_same_time(
    receiver: SnippetProcess,
) -> None:
    before, sent = titles(receiver), body()
    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(receiver.status, [sent] * 4)] == [204] * 4
    assert titles(receiver) == [*before, PAYLOAD["title"]]


def test_it_answers_500_to_a_forgery_400_to_no_webhook_and_does_nothing(
    receiver: SnippetProcess,
) -> None:
    before = titles(receiver)
    second = b',"payload":{"title":"Free pizza"},"triggeredAt":'
    forged = (body(secret="another"), body().replace(b"Dark", b"dark"), body(signature="0" * 64))
    assert [receiver.status(each) for each in forged] == [500] * 3
    malformed = (b"", b"{", b"[]", b"null", body()[:-40], body(signature=None), body(signature=...))
    assert [receiver.status(each) for each in malformed] == [400] * 7
    assert titles(receiver) == before
    # The signed payload counts, and not the one behind it.
    assert receiver.status(body().replace(b',"triggeredAt":', second)) == 204
    assert titles(receiver) == [*before, PAYLOAD["title"]]

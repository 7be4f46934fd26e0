"""The handle itself: what it reads, what it leaves behind, and on which threads it works."""

import asyncio
import gc
import os
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from leanbe_emitter import (
    Changes,
    DatabaseBehind,
    DatabaseUnavailable,
    InvalidTarget,
    InvalidValue,
    Leanbe,
    ManualClock,
    Product,
    Settings,
    TriggerRequest,
)
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest
from leanbe_emitter.ids import Ids
from leanbe_emitter.storage.schema.tables import RetiredSecretRow
from tests.support.concurrency import call_at_once
from tests.support.in_process_apps import END, START, app_sending
from tests.support.loopback_receiver import LoopbackReceiver

URL = "http://127.0.0.1:1/"


def test_leanbe_in_code_reads_no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DB": "sqlite:///elsewhere.db",
        "ASSUME": "method=PUT",
        "ALLOW_TARGETS": "10.0.0.0/8",
        "LEASE_SECONDS": "nonsense",
    }.items():
        monkeypatch.setenv(f"LEANBE_EMITTER_{name}", value)
    with Leanbe() as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        assert product.assumptions == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"db": Path("leanbe.db")}, "'leanbe.db' is no database URL"),
        ({"app_errors": "ignore"}, "app_errors is 'ignore'. Use 'raise' or 'record'."),
    ],
)
def test_a_handle_names_the_argument_that_it_cannot_use(given: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        Leanbe(**given)


def test_a_secret_in_bytes_is_refused_and_not_shown() -> None:
    secret: Any = b"whsec_test"
    with Leanbe() as leanbe, pytest.raises(InvalidValue, match="of type bytes, not str") as said:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1/", secret=secret)
    assert "whsec" not in str(said.value)


def test_two_in_memory_know_nothing_of_each_other() -> None:
    with Leanbe() as one, Leanbe() as other:
        one.products.create("Acme")
        assert other.products.list() == []


def test_hundreds_stand_side_by_side_whichever_threads_opened_them() -> None:
    handles: dict[str, Leanbe] = {}

    def open_some(thread: int) -> None:
        for number in range(50):
            leanbe = handles[f"{thread}/{number}"] = Leanbe()
            leanbe.products.create(f"{thread}/{number}")

    call_at_once(*(partial(open_some, thread) for thread in range(4)))
    assert {name: leanbe.products.only().name for name, leanbe in handles.items()} == {
        name: name for name in handles
    }
    for leanbe in handles.values():
        leanbe.close()
    assert len(handles) == 200


def test_after_the_first_one_a_handle_in_memory_compiles_nothing(tmp_path: Path) -> None:
    with Leanbe() as one, Leanbe() as other, Leanbe(f"sqlite:///{tmp_path / 'a.db'}") as apart:
        assert one._database.engine is other._database.engine
        assert one._database.engine is not apart._database.engine


@pytest.mark.filterwarnings("error")
def test_closed_handles_give_back_every_descriptor() -> None:
    before = set(os.listdir("/dev/fd"))  # noqa: PTH208 - descriptors are no paths
    for handle in [Leanbe() for _ in range(20)]:
        handle.products.create("Acme", webhook=app_sending(START, END))
        assert handle.trigger("idea.created").delivered
        handle.close()
    # Threads of earlier tests may give back some of theirs meanwhile.
    assert set(os.listdir("/dev/fd")) <= before  # noqa: PTH208 - as above


def test_a_closed_handle_says_so() -> None:
    leanbe = Leanbe()
    leanbe.close()
    with pytest.raises(DatabaseUnavailable, match="was closed"):
        leanbe.products.list()


def test_a_file_is_made_once_and_keeps_what_was_done(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path / 'leanbe.db'}"
    with Leanbe(db) as leanbe:
        assert leanbe.created
        product = leanbe.products.create("Acme", webhook_url=URL)
    with Leanbe(db) as leanbe:
        assert not leanbe.created
        assert leanbe.products.only() == product


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.filterwarnings("error")
def test_a_closed_handle_leaves_nothing_open(db: str, receiver: LoopbackReceiver) -> None:
    with Leanbe(db) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        leanbe.trigger("idea.created")
    leanbe.close()
    del leanbe
    gc.collect()


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.filterwarnings("error")
def test_a_handle_that_cannot_be_opened_leaves_nothing_open(
    tmp_path: Path, postgresql_url: str
) -> None:
    file = tmp_path / "no.db"
    file.write_bytes(b"This is no database, however long one looks at it." * 100)
    with pytest.raises(DatabaseUnavailable):
        Leanbe(f"sqlite:///{file}")
    with pytest.raises(DatabaseBehind):
        Leanbe(postgresql_url)
    with pytest.raises(InvalidValue):
        Leanbe("mysql://localhost/leanbe")
    gc.collect()


def test_threads_share_a_handle(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    errors: list[BaseException] = []

    def act(number: int) -> None:
        try:
            mine = leanbe.products.create(f"Product {number}", webhook_url=receiver.url)
            with leanbe.transaction():
                leanbe.trigger_all(
                    TriggerRequest(events=["okr.created"], product=mine), deliver=False
                )
                leanbe.products.rename(mine, f"Renamed {number}")
            leanbe.trigger("idea.created", product=mine)
            leanbe.deliver()
        except BaseException as error:  # noqa: BLE001 - a thread's error is the test's
            errors.append(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    leanbe.deliver()
    assert errors == []
    assert len(leanbe.products.list()) == 7
    assert len(receiver.requests) == len(set(receiver.bodies)) == 12
    assert product.name == "Acme"


def test_an_httpx_transport_carries_the_requests() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, text="thanks")

    with Leanbe(transport=httpx.MockTransport(answer)) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/hooks")
        delivery = leanbe.trigger("idea.created")
    assert delivery.delivered
    assert delivery.attempts[0].answer_body == b"thanks"
    assert [request.content for request in seen] == [delivery.event.body]


def test_a_transport_of_ours_carries_the_requests() -> None:
    class Accepting:
        async def send(self, request: OutgoingRequest) -> Answer:
            assert request.url == URL
            return Answer(status=200)

        async def aclose(self) -> None:
            """Have nothing to close."""

    with Leanbe(transport=Accepting()) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        assert leanbe.trigger("idea.created").delivered


class Closing(httpx.MockTransport):
    """Accepts everything, and counts how often it is closed, in which loops."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(lambda _: httpx.Response(204))
        self._error = error
        self.sent_in: set[asyncio.AbstractEventLoop] = set()
        self.closed_in: list[asyncio.AbstractEventLoop] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent_in.add(asyncio.get_running_loop())
        return await super().handle_async_request(request)

    async def aclose(self) -> None:
        self.closed_in.append(asyncio.get_running_loop())
        if self._error:
            raise self._error


def test_a_transport_is_closed_with_the_handle_once_whether_or_not_it_was_used() -> None:
    used, unused = Closing(), Closing()
    with Leanbe(transport=used) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        leanbe.trigger("idea.created")
        assert not used.closed_in
    leanbe.close()
    assert used.closed_in == list(used.sent_in)
    with Leanbe(transport=unused):
        assert not unused.closed_in
    assert len(unused.closed_in) == 1


def test_a_transport_is_closed_in_each_loop_that_it_was_used_in() -> None:
    transport = Closing()
    with Leanbe(transport=transport) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        product.ideas.create(title="Dark mode")
        leanbe.work(drain=True)
        assert transport.closed_in == list(transport.sent_in)
        leanbe.trigger("idea.created")
    assert set(transport.closed_in) == transport.sent_in
    assert len(transport.closed_in) == 2


@pytest.mark.usefixtures("own_garbage")
@pytest.mark.filterwarnings("error")
def test_a_transport_whose_close_fails_leaves_nothing_else_open() -> None:
    leanbe = Leanbe(transport=Closing(ValueError("cannot close")))
    leanbe.products.create("Acme", webhook=app_sending(START, END))
    leanbe.trigger("idea.created")
    with pytest.raises(ValueError, match="cannot close"):
        leanbe.close()
    with pytest.raises(DatabaseUnavailable, match="was closed"):
        leanbe.products.list()
    del leanbe
    gc.collect()


def test_ids_and_secrets_come_from_the_given_source() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))

    class Counting(Ids):
        def secret(self) -> str:
            return "counted"

    with Leanbe(ids=Counting(), clock=clock, seed=1) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
    assert product.webhook.secret == "counted"
    assert product.id.startswith("6955b900")
    assert product.created_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_settings_limit_what_may_be_called_and_sent() -> None:
    link_local = "http://169.254.7.7/"
    settings = Settings(allow_targets=("169.254.7.7",), max_payload_bytes=1000, max_depth=5)
    with Leanbe() as leanbe, pytest.raises(InvalidTarget):
        leanbe.products.create("Acme", webhook_url=link_local)
    with Leanbe(settings=settings) as leanbe:
        leanbe.products.create("Acme", webhook_url=link_local)
        payloads: list[Any] = ["x" * 1000, [[[[[[]]]]]]]
        for payload in payloads:
            with pytest.raises(InvalidValue):
                leanbe.dry_run(
                    TriggerRequest(events=["idea.created"], changes=Changes(payload=payload))
                )


def test_an_error_hides_the_databases_password() -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Leanbe("postgresql://ana:hush@127.0.0.1:1/leanbe")
    assert "hush" not in f"{caught.value}{caught.value!r}"


def test_an_error_that_nobody_expected_shows_no_secret(leanbe: Leanbe) -> None:
    orphan = RetiredSecretRow(product_id="0" * 24, secret="whsec_hush", retired_at=0)

    def store() -> None:
        with leanbe._transactions.acting() as action:
            action.session.add(orphan)

    with pytest.raises(IntegrityError) as caught:
        store()
    assert "hush" not in f"{caught.value}{caught.value!r}"


def test_leases_and_events_do_not_change_the_ids_of_what_is_made_next() -> None:
    clock = ManualClock(datetime(2026, 11, 24, 8, tzinfo=UTC))

    def second_product(*, redeliver: bool) -> str:
        with Leanbe(seed=7, clock=clock) as leanbe:
            leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/")
            if redeliver:
                leanbe.deliver()
                leanbe.deliveries.redeliver()
            return leanbe.products.create("Other").id

    assert second_product(redeliver=True) == second_product(redeliver=False)

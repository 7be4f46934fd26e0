"""Two servers and a worker on one database: whoever is killed, nothing is lost or invented.

Sixty kills during 10 000 events. ``LEANBE_TESTS_EVENTS`` makes it more or less, with a kill for
each 167 events, and ``LEANBE_TESTS_SEED`` chooses other moments and victims. A client acts on both
servers without a pause while a process is killed, so that most kills meet an action.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Self

import httpx
import pytest

from leanbe_emitter import Leanbe, verify
from leanbe_emitter.delivery.queue.queue import LEASES_LOST_LIMIT
from leanbe_emitter.storage.engine.database import Database
from tests.support.ports import free_port
from tests.support.recording_receiver import RecordingReceiver
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
PRODUCTS = 50
EVENTS = int(os.environ.get("LEANBE_TESTS_EVENTS", "10000"))
KILLS = EVENTS * 6 // 1000
SEED = int(os.environ.get("LEANBE_TESTS_SEED", "4"))
#: So many actions are acknowledged before a kill: at least one by each server that runs.
ACTIONS_BEFORE_A_KILL = 2
#: How long a step may take on a busy machine, in seconds.
PATIENCE_SECONDS = max(60.0, EVENTS / 20)


def test_servers_and_workers_that_are_killed_lose_and_invent_nothing(
    database: Database, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    claimed_at_a_kill: set[str] = set()
    with RecordingReceiver.running(tmp_path) as recorder, Fleet.on(database, tmp_path) as fleet:
        prepare(database, recorder)
        ports = [free_port(), free_port()]
        starts: list[Callable[[], str]] = [partial(fleet.start_server, port) for port in ports]
        starts.append(fleet.start_worker)
        processes = [start() for start in starts]
        emitter = fleet.start_emitter(0, EVENTS)
        with ActingClient.on(ports) as client:
            for moment in sorted(chance.sample(range(EVENTS // 20, EVENTS), KILLS)):
                reached(recorder.count, moment)
                victim = chance.randrange(len(processes))
                with client.acting():
                    fleet.kill(processes[victim])
                claimed_at_a_kill |= fleet.in_flight()
                processes[victim] = starts[victim]()
            assert fleet.end(emitter, by=None) == 0, fleet.stderr_of(emitter)
        wait_until(fleet.is_settled, "all is settled", patience_seconds=PATIENCE_SECONDS)
        assert fleet.complaints() == []

        received, owed = recorder.bodies(), fleet.deliveries_by_body()
        assert received.keys() <= owed.keys()
        lost, twice = fleet.lost(), {owed[body] for body, times in received.items() if times > 1}
        assert twice <= lost <= claimed_at_a_kill
        assert received.total() <= fleet.count("attempts")
        # Three kills in a row may each come before the request: that is on record, and no more.
        missing = {owed[body] for body in owed.keys() - received.keys()}
        given_up = f"state = 'exhausted' AND leases_lost = {LEASES_LOST_LIMIT}"
        assert missing <= fleet.deliveries(given_up) <= lost
        assert fleet.count("deliveries", f"state = 'delivered' OR ({given_up})") == len(owed)
        titles = {title for body in owed if (title := title_of(body))}
        assert len(client.acknowledged) >= KILLS * ACTIONS_BEFORE_A_KILL
        assert set(client.acknowledged) <= titles
        assert len(owed) == EVENTS + len(titles)
        print(  # noqa: T201 - the figures of a long run
            f"{database.dialect}: {len(owed)} events, {KILLS} kills, {len(client.acknowledged)} of "
            f"{len(titles)} actions acknowledged, {len(lost)} attempts unknown, {len(twice)} twice"
        )


def prepare(database: Database, recorder: RecordingReceiver) -> None:
    with Leanbe(database.url.render_as_string(hide_password=False)) as leanbe:
        for number in range(PRODUCTS):
            leanbe.products.create(f"Product {number}", webhook_url=recorder.url, secret=SECRET)


def reached(counted: Callable[[], int], moment: int) -> None:
    wait_until(
        lambda: counted() >= moment, f"{moment} were counted", patience_seconds=PATIENCE_SECONDS
    )


def title_of(body: bytes) -> str:
    """Verify a body and return the title of its idea; empty for the events of the emitter."""
    payload = verify(body, SECRET).payload
    return str(payload.get("title", "")) if isinstance(payload, dict) else ""


@dataclass(frozen=True, kw_only=True)
class ActingClient:
    """A client that creates ideas over servers in turn, as long as it is wanted.

    Attributes:
        acknowledged: the titles that a server acknowledged.
    """

    acknowledged: list[str] = field(default_factory=list)
    _is_wanted: threading.Event = field(default_factory=threading.Event)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @classmethod
    @contextmanager
    def on(cls, ports: list[int]) -> Iterator[Self]:
        """Run a client of the servers at these ports until the block ends."""
        client = cls()
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(client._act, ports)
            try:
                yield client
            finally:
                client._is_over.set()
                client._is_wanted.set()
            running.result()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Act without a pause: the block begins after a few actions, and the last meets its end."""
        enough = len(self.acknowledged) + ACTIONS_BEFORE_A_KILL
        self._is_wanted.set()
        reached(lambda: len(self.acknowledged), enough)
        try:
            yield
        finally:
            self._is_wanted.clear()

    def _act(self, ports: list[int]) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            for number, port in zip(count(), cycle(ports), strict=False):
                self._is_wanted.wait()
                if self._is_over.is_set():
                    return
                title = f"idea {number}"
                url = f"http://127.0.0.1:{port}/api/v1/products/Product {number % 50}/ideas"
                try:
                    answer = client.post(url, json={"title": title})
                except httpx.TransportError:
                    # It was killed, or is starting.
                    self._is_over.wait(0.05)
                    continue
                assert answer.status_code == 201, answer.text
                self.acknowledged.append(title)

"""A receiver that floods ends its own attempts, and holds up no other product's."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from leanbe_emitter.clock import stopwatch
from tests.support.command_line import next_line
from tests.support.flooding_receiver import FLOODS
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import run_server
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
#: Each flooding product gets a hundred of each.
EVENTS = ["idea.created", "idea.updated", "idea.upVoted", "idea.downVoted", "idea.deleted"]
#: How many deliveries of the other product are timed.
TIMED = 30
#: A busy machine takes as long now and then, flood or not.
NOISE_SECONDS = 0.15


@contextmanager
def flooding_receiver() -> Iterator[str]:
    command = (sys.executable, "-m", "tests.support.flooding_receiver")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield next_line(process.stdout).strip()
        finally:
            process.kill()


def delays(client: httpx.Client, receiver: LoopbackReceiver) -> list[float]:
    """Return the seconds from each event of the calm product to its arrival."""
    taken = []
    for _ in range(TIMED):
        began_at = stopwatch()
        receiver.busy.clear()
        client.post("/products/Calm/events", json={"event": "idea.created"}).raise_for_status()
        assert receiver.busy.wait(PATIENCE_SECONDS)
        taken.append(stopwatch() - began_at)
    return taken


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def test_floods_leave_the_other_products_their_pace(tmp_path: Path) -> None:
    with (
        LoopbackReceiver.listening() as calm,
        flooding_receiver() as url,
        run_server(tmp_path, "--ephemeral") as served,
    ):
        client = served.client
        client.post("/products", json={"name": "Calm", "webhook": {"url": calm.url}})
        quiet = p95(delays(client, calm))
        for path in FLOODS:
            product = {"name": path[1:], "webhook": {"url": url + path}}
            client.post("/products", json=product).raise_for_status()
            many = {"events": EVENTS, "times": 100}
            client.post(f"/products/{path[1:]}/trigger", json=many).raise_for_status()
            found = p95(delays(client, calm))
            client.delete(f"/products/{path[1:]}").raise_for_status()
            assert found <= max(3 * quiet, NOISE_SECONDS), path

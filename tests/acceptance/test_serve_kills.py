"""What the server acknowledged is there after it was killed, with its event."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.serving import Served, serving
from tests.waiting import until

CLIENTS = 8
#: So many actions are acknowledged before the kill.
ACTIONS = 200


def test_every_acknowledged_action_is_there_with_its_event_after_a_kill(
    tmp_path: Path, database_url: str
) -> None:
    acknowledged: list[str] = []

    def act(served: Served, number: int) -> None:
        headers = dict(served.client.headers)
        with httpx.Client(
            base_url=served.client.base_url, headers=headers, timeout=30, trust_env=False
        ) as client:
            for count in range(ACTIONS):
                try:
                    made = client.post(
                        "/products/Acme/ideas", json={"title": f"Idea {number}/{count}"}
                    )
                except httpx.TransportError:
                    return
                assert made.status_code == 201, made.text
                acknowledged.append(made.json()["_id"])

    with serving(tmp_path, "--db", database_url) as served:
        webhook = {"url": "http://127.0.0.1:9/hooks"}
        served.client.post("/products", json={"name": "Acme", "webhook": webhook})
        threads = [threading.Thread(target=act, args=(served, n)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        until(lambda: len(acknowledged) >= ACTIONS, "enough was acknowledged")
        served.process.kill()
        for thread in threads:
            thread.join()
    with serving(tmp_path, "--db", database_url) as served:
        ideas = {each["_id"] for each in pages(served, "/products/Acme/ideas")}
        events = {each["payload"]["_id"] for each in pages(served, "/events?event=idea.created")}
    assert len(set(acknowledged)) == len(acknowledged) >= ACTIONS
    assert set(acknowledged) <= ideas
    assert ideas == events


def pages(served: Served, path: str) -> Iterator[Any]:
    """Yield all items of a list."""
    parameters = {"limit": "200"}
    while True:
        url = httpx.URL(path).copy_merge_params(parameters)
        page = served.client.get(str(url)).json()
        yield from page["items"]
        if page["cursor"] is None:
            return
        parameters["cursor"] = page["cursor"]

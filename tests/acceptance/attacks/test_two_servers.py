"""Two servers on one PostgreSQL: customers move between products, and no call fails."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.support.server_process import run_server

PRODUCTS = ["A", "B", "C", "D"]
EMAILS = [f"c{number}@example.com" for number in range(4)]
#: Callers of each server, and the calls of each caller.
CALLERS, CALLS = 4, 15


def test_customers_that_move_lock_no_call_of_two_servers_out(
    postgresql_ready: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(run_server(tmp_path, "--db", postgresql_ready)) for _ in range(2)
        ]
        for name in PRODUCTS:
            servers[0].client.post("/products", json={"name": name}).raise_for_status()
        clients = [server.client for server in servers] * CALLERS
        with ThreadPoolExecutor(len(clients)) as threads:
            statuses = sum(threads.map(act, clients, range(len(clients))), Counter[int]())
    assert statuses.total() == len(clients) * CALLS
    assert not {status for status in statuses if status >= 500}, statuses


def act(client: httpx.Client, seed: int) -> Counter[int]:
    """Move, delete and create customers, vote, and reset products; count the answers' statuses."""
    chance = random.Random(seed)
    return Counter(_act_once(client, chance).status_code for _ in range(CALLS))


def _act_once(client: httpx.Client, chance: random.Random) -> httpx.Response:
    product, email = chance.choice(PRODUCTS), chance.choice(EMAILS)
    some = chance.sample(PRODUCTS, chance.randint(1, len(PRODUCTS)))
    match chance.randrange(10):
        case 0 | 1 | 2:
            values = {"email": email, "products": some}
            return client.post(f"/products/{product}/customers", json=values)
        case 3 | 4 | 5 | 6:
            url = f"/products/{product}/customers/{email}"
            return client.patch(url, json={"products": some})
        case 7:
            return client.delete(f"/products/{product}/customers/{email}")
        case 8:
            request = {"title": "Light mode", "customer": email}
            return client.post(f"/products/{product}/idea-requests", json=request)
        case _:
            return client.post(f"/products/{product}/reset")

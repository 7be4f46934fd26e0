"""The whole API keeps what its document promises, whatever is asked: schemathesis asks.

No error of ours, no status, header or form that the document does not have, for data that fits and
data that does not, one request by one and along the document's links. Each run has a new seed,
which a failure names. ``TESTS_EXAMPLES=100 TESTS_SEED=7`` asks more of each operation, or what that
run asked.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import SystemRandom

import pytest

from tests.support.command_line import environment
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import run_server

pytestmark = pytest.mark.prove

#: How much is made up for each operation, if not as the settings say, and from what.
EXAMPLES = os.environ.get("TESTS_EXAMPLES", "")
SEED = int(os.environ.get("TESTS_SEED") or SystemRandom().randrange(1 << 32))
PROGRAM = Path(sys.executable).with_name("schemathesis")
SETTINGS = Path(__file__).parent.parent / "data" / "schemathesis.toml"
ROOT = SETTINGS.parent.parent.parent
ENVIRON = {"LEANBE_EMITTER_TOKEN": "tok_test"}


EDGES, STORIES = "coverage", "examples,fuzzing,stateful"
#: How each database is asked: by each schema's edges, of which there are thousands, once in a run.
#: Two servers are asked at random on PostgreSQL, so that one of them need not be.
WAYS = [("sqlite", EDGES), ("sqlite", STORIES), ("postgresql", "examples,stateful")]
if EXAMPLES:
    WAYS += [("postgresql", EDGES), ("postgresql", "fuzzing")]


def ask(url: str, *options: str, receiver_url: str, seed: int = SEED) -> str:
    """Let schemathesis ask a server; return its report if an answer was not as promised."""
    asked = (PROGRAM, "--config-file", SETTINGS, "run", f"{url}/openapi.json", "--no-color")
    examples = ("--max-examples", EXAMPLES) if EXAMPLES else ()
    token = ("-H", "Authorization: Bearer tok_test")
    ran = subprocess.run(
        [*asked, *token, "--seed", str(seed), *examples, *options],
        cwd=ROOT,  # whose settings name the hooks
        env=few_variables(receiver_url),
        capture_output=True,
        text=True,
        check=False,
    )
    return f"TESTS_SEED={SEED}\n{ran.stdout}{ran.stderr}" if ran.returncode else ""


def few_variables(receiver_url: str) -> dict[str, str]:
    """Return what schemathesis needs: twice a request, it looks for proxies in all variables."""
    kept = {name: value for name, value in environment().items() if name in {"HOME", "PATH"}}
    return {**kept, "NO_PROXY": "127.0.0.1", "PROMISES_RECEIVER": receiver_url}


@pytest.mark.parametrize(("database_url", "phases"), WAYS, indirect=["database_url"])
def test_every_answer_is_as_the_document_says(
    tmp_path: Path, database_url: str, phases: str
) -> None:
    options = ("--db", database_url, "--clock", "manual", "--workers-off")
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, *options, environ=ENVIRON) as served,
    ):
        webhook = {"url": receiver.url, "secret": "whsec_test"}
        served.client.post("/products", json={"name": "Acme", "webhook": webhook})
        # The databases are told different stories.
        seed = SEED + database_url.startswith("postgresql")
        report = ask(served.ready["url"], "--phases", phases, receiver_url=receiver.url, seed=seed)
    assert not report, report


def test_every_answer_of_two_servers_on_one_postgresql_is_one_that_the_document_has(
    tmp_path: Path, postgresql_ready: str
) -> None:
    """Both are asked at once, so what one of them is told may be gone when the other is asked."""
    options = ("--db", postgresql_ready, "--clock", "manual", "--workers-off")
    checks = "not_a_server_error,status_code_conformance,response_schema_conformance"
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, *options, environ=ENVIRON) as one,
        run_server(tmp_path, *options, environ=ENVIRON) as other,
        ThreadPoolExecutor(2) as threads,
    ):
        webhook = {"url": receiver.url, "secret": "whsec_test"}
        one.client.post("/products", json={"name": "Acme", "webhook": webhook})
        asking = partial(ask, receiver_url=receiver.url)
        reports = [
            threads.submit(
                asking, served.ready["url"], "--phases", "fuzzing", "--checks", checks, seed=seed
            )
            for seed, served in ((SEED, one), (SEED + 1, other))
        ]
        assert not (report := "".join(each.result() for each in reports)), report

"""The whole API keeps what its document promises, whatever is asked: schemathesis asks.

No error of ours, no status, header or form that the document does not have, for data that fits and
data that does not, one request by one and along the document's links.
``TESTS_EXAMPLES=100 TESTS_SEED=7`` asks more of each operation, and otherwise.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import environment
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import run_server

pytestmark = pytest.mark.prove

#: How much is made up for each operation, if not as the settings say, and from what.
EXAMPLES = os.environ.get("TESTS_EXAMPLES", "")
SEED = os.environ.get("TESTS_SEED", "1")
PROGRAM = Path(sys.executable).with_name("schemathesis")
SETTINGS = Path(__file__).parent.parent / "data" / "schemathesis.toml"
ROOT = SETTINGS.parent.parent.parent


def phases(database_url: str) -> str:
    """Return how it is asked: each schema's edges, of which there are thousands, once in a run."""
    if EXAMPLES or database_url.startswith("sqlite"):
        return "examples,coverage,fuzzing,stateful"
    return "examples,fuzzing,stateful"


def test_every_answer_is_as_the_document_says(tmp_path: Path, database_url: str) -> None:
    options = ("--db", database_url, "--clock", "manual", "--workers-off")
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, *options, environ=environ) as served,
    ):
        webhook = {"url": receiver.url, "secret": "whsec_test"}
        served.client.post("/products", json={"name": "Acme", "webhook": webhook})
        ran = subprocess.run(
            [
                *(
                    PROGRAM,
                    "--config-file",
                    SETTINGS,
                    "run",
                    f"{served.ready['url']}/openapi.json",
                    "--no-color",
                ),
                *("-H", "Authorization: Bearer tok_test"),
                *("--seed", SEED, *(("--max-examples", EXAMPLES) if EXAMPLES else ())),
                *("--phases", phases(database_url)),
            ],
            cwd=ROOT,  # whose settings name the hooks
            env=environment({"PROMISES_RECEIVER": receiver.url}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr

"""The final claim: a receiver in Node.js, written after the article, accepts all events."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.command_line import run_process

pytestmark = pytest.mark.node

RECEIVER = Path(__file__).parents[1] / "data" / "article_receiver.js"
TEXT = "Zoë says \"déjà vu\" \\ 'naïve' <b>&amp;</b> 東京 👩‍💻 \u2028"
OF_CUSTOMERS = [name for name in EVENT_NAMES if name.startswith("customer.")]
OTHERS = [name for name in EVENT_NAMES if name not in OF_CUSTOMERS]


class Receiver:
    """The receiver as a process: its URL, and what it has seen."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self._lines = process.stdout
        self.url = self._lines.readline().strip()

    def seen(self, count: int) -> list[dict[str, str]]:
        return [json.loads(self._lines.readline()) for _ in range(count)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with subprocess.Popen(
        ["node", str(RECEIVER)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WEBHOOK_SECRET": "whsec_tést"},
    ) as process:
        yield Receiver(process)
        process.kill()


def test_it_accepts_all_22_events_with_accents_emoji_and_quotes(
    receiver: Receiver, tmp_path: Path
) -> None:
    def leanbe(*arguments: str) -> None:
        ran = run_process(*arguments, cwd=tmp_path)
        assert ran.status == 0, ran.stdout + ran.stderr

    leanbe("product", "create", "Acme", "--webhook-url", receiver.url, "--secret", "whsec_tést")
    leanbe("trigger", *OTHERS, "--set", f"title={TEXT}")
    leanbe("trigger", *OF_CUSTOMERS, "--set", f"firstName={TEXT}")
    seen = receiver.seen(len(EVENT_NAMES))
    assert [each["event"] for each in seen] == [*OTHERS, *OF_CUSTOMERS]
    assert {each["text"] for each in seen} == {TEXT}


def test_it_refuses_what_another_secret_signed(receiver: Receiver, tmp_path: Path) -> None:
    sent = ("send", "--to", receiver.url, "--secret", "another", "idea.created")
    ran = run_process(*sent, cwd=tmp_path)
    assert ran.status == 1
    assert "401 Unauthorized" in ran.stdout

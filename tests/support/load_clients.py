"""Many clients of one server at the same time; each sends its next action after each answer."""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Self
from urllib.parse import urlsplit

from leanbe_emitter.clock import stopwatch

_SERVER_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class AcknowledgedAction:
    """An action that the server acknowledged.

    Attributes:
        event: the name of the one event that the action raises.
        document: the id of the changed document.
        begun_at: time of the request, in seconds of the stopwatch.
        answered_at: time of the answer, in seconds of the stopwatch.
    """

    event: str
    document: str
    begun_at: float
    answered_at: float


@dataclass(kw_only=True)
class ClientLoad:
    """The clients of one test, and the results of their requests.

    Attributes:
        done: the acknowledged actions.
        refused: the number of all other answers, by their status.
        failures: the texts of answers that report an error of the server.
    """

    url: str
    clients: int
    done: list[AcknowledgedAction] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _is_over: bool = False

    @classmethod
    @contextmanager
    def acting(cls, url: str, *, clients: int) -> Iterator[Self]:
        """Let clients act on the product Acme until the block ends or the server stops."""
        crowd = cls(url=url, clients=clients)
        thread = threading.Thread(target=lambda: asyncio.run(crowd.act()))
        thread.start()
        try:
            yield crowd
        finally:
            crowd._is_over = True
            thread.join()

    async def act(self) -> None:
        """Send actions until the load ends."""
        await asyncio.gather(*(self._be_a_client(number) for number in range(self.clients)))

    def events(self) -> Counter[tuple[str, str]]:
        """Return the number of acknowledged events, by event name and document."""
        return Counter((each.event, each.document) for each in self.done)

    def __str__(self) -> str:
        took = quantiles([each.answered_at - each.begun_at for each in self.done], n=100)
        return (
            f"{len(self.done)} actions of {self.clients} clients were acknowledged, "
            f"half of them within {took[49] * 1000:.0f} ms, 99 % within {took[98] * 1000:.0f} ms"
        )

    async def _be_a_client(self, number: int) -> None:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        client = _Client(number=number, host=address.netloc, reader=reader, writer=writer)
        # The server may be killed meanwhile.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self._is_over:
                self._note(*await client.act())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def _note(self, status: int, done: AcknowledgedAction | str) -> None:
        if isinstance(done, AcknowledgedAction):
            self.done.append(done)
            return
        self.refused[status] += 1
        if status >= _SERVER_ERROR:
            self.failures.append(done)


@dataclass(kw_only=True)
class _Client:
    """One client, with the ideas and the draft announcements that it can act on."""

    number: int
    host: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ideas: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.number)

    async def act(self) -> tuple[int, AcknowledgedAction | str]:
        """Send one action; return the status, and the action or the text of the answer."""
        title = f"{self.number}/{self._chance.random()}"
        event, path, body = _action(self._chance, title, self.ideas, self.drafts)
        begun_at = stopwatch()
        self.writer.write(_request(self.host, path, body))
        status, text = await _answer(self.reader)
        document = json.loads(text).get("_id")
        if document is None:
            return status, text
        if event == "idea.created":
            self.ideas.append(document)
        if event == "announcement.created":
            self.drafts.append(document)
        done = AcknowledgedAction(
            event=event, document=document, begun_at=begun_at, answered_at=stopwatch()
        )
        return status, done


def _action(
    chance: random.Random, title: str, ideas: list[str], drafts: list[str]
) -> tuple[str, str, dict[str, Any]]:
    """Return the next action of a client: the event that it raises, its path and its body."""
    some = chance.choice(ideas) if ideas else None
    actions: list[tuple[str, str, dict[str, Any]]] = [
        ("idea.created", "ideas", {"title": title}),
        ("customer.created", "customers", {"email": f"{title.replace('/', '-')}@example.com"}),
        ("ideaRequest.created", "idea-requests", {"title": title}),
        ("backlogItem.created", "backlog-items", {"title": title}),
        ("announcement.created", "announcements", {"title": title}),
    ]
    if some is not None:
        actions.append(("idea.upVoted", f"ideas/{some}/upvote", {}))
        actions.append(("idea.downVoted", f"ideas/{some}/downvote", {}))
    if drafts and chance.random() < 1 / len(actions):
        return "announcement.updated", f"announcements/{drafts.pop()}/publish", {}
    return chance.choice(actions)


def _request(host: str, path: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST /api/v1/products/Acme/{path} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length:")[2].split()[0])
    return int(head.split()[1]), (await reader.readexactly(length)).decode()

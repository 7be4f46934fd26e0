"""First content of a served database: a seed file, and a receiver for one of its products.

The receiver beside the server is a process of its own, which ends with the server. A product points
to it, so that the first event of a newcomer is delivered and verified. A reset plants the seed file
again, so the file's product points to the receiver as well.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final

import click

from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.errors import LeanbeError, NotFound
from leanbe_emitter.ids import Ids
from leanbe_emitter.server_process import running_command

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe
    from leanbe_emitter.seeds import Seed
    from leanbe_emitter.settings import Settings

#: The variable with the receiver's secret: everybody can see a process's arguments.
_VARIABLE: Final = "LEANBE_EMITTER_RECEIVER_SECRET"
_PATH: Final = "hooks/leanbe"


def check_seed(seed: "Seed", settings: "Settings") -> None:
    """Plant a seed file in memory first: its mistakes are reported before anything is created.

    Raises:
        click.BadParameter: the domain refuses content of the file.
    """
    from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

    with Leanbe(settings=settings) as leanbe:
        try:
            leanbe.seeds.plant(seed)
        except LeanbeError as error:
            raise click.BadParameter(
                f"{error.message}\n{error.hints.command}".rstrip(),
                ctx=click.get_current_context(),
                param_hint="'--seed-file'",
            ) from None


@contextmanager
def planted(
    invocation: Invocation, leanbe: "Leanbe", seed: "Seed | None", *, receiver: str | None
) -> Iterator[None]:
    """Plant a seed file, and run a receiver for a product if one is wanted."""
    if receiver is None:
        _plant(invocation, leanbe, seed)
        yield
        return
    secret = _secret_for(leanbe, seed, receiver)
    with _receiver_beside(secret) as url:
        pointed = seed and _pointed_at(seed, receiver, url=url, secret=secret)
        _plant(invocation, leanbe, pointed)
        _point_product(leanbe, receiver, url=url, secret=secret)
        invocation.notice(f"A receiver verifies the events of {receiver} at {url}.")
        yield


def _plant(invocation: Invocation, leanbe: "Leanbe", seed: "Seed | None") -> None:
    """Plant a seed file in a database without products, and say whether it was planted."""
    if seed is None:
        return
    if leanbe.seeds.plant(seed):
        invocation.notice(f"Planted {seed.name}.")
    else:
        invocation.notice(f"There are products already. A reset will plant {seed.name}.")


@contextmanager
def _receiver_beside(secret: str) -> Iterator[str]:
    """Run a receiver until the block ends, or until this process does; yield a webhook's URL.

    Raises:
        LeanbeError: the receiver ended at once; its own output says why.
    """
    options = ("--secret", f"env:{_VARIABLE}", "--port", "0", "--until-eof", "--output", "jsonl")
    # Ctrl-C does not reach it: the server makes its last attempts first.
    with running_command("receiver", *options, environ={_VARIABLE: secret}) as (process, line):
        if not line:
            raise LeanbeError("The receiver did not start.", hint="Its output above says why.")
        _discard(process.stdout)
        yield json.loads(line)["url"] + _PATH


def _discard(stream: IO[str] | None) -> None:
    """Read a stream to its end: the receiver would wait when the pipe is full."""
    reader = threading.Thread(target=deque, args=(stream, 0), daemon=True, name="receiver-output")
    reader.start()


def _secret_for(leanbe: "Leanbe", seed: "Seed | None", product: str) -> str:
    """Return the secret that a product has, or gets from the seed file, or a new one."""
    try:
        present = leanbe.products.get(product).webhook.secret
    except NotFound:
        present = _secret_in(seed, product)
    return present or Ids().secret()


def _secret_in(seed: "Seed | None", product: str) -> str | None:
    found = [each.webhook for each in seed.content.products if each.name == product] if seed else []
    return next((each.secret for each in found if each), None)


def _pointed_at(seed: "Seed", product: str, *, url: str, secret: str) -> "Seed":
    """Return a seed whose product of this name has a webhook with this URL and this secret."""
    from leanbe_emitter.seeds.seed import Webhook  # noqa: PLC0415 - loads pydantic

    target = {"url": url, "secret": secret}
    products = [
        each
        if each.name != product
        else each.model_copy(
            update={"webhook": (each.webhook or Webhook(url=url)).model_copy(update=target)}
        )
        for each in seed.content.products
    ]
    return replace(seed, content=seed.content.model_copy(update={"products": products}))


def _point_product(leanbe: "Leanbe", product: str, *, url: str, secret: str) -> None:
    """Set a product's webhook; a product that is not there is created."""
    try:
        leanbe.webhooks.set(product, url, secret=secret)
    except NotFound:
        leanbe.products.create(product, webhook_url=url, secret=secret)

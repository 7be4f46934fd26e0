"""The command ``exec``: another command, with a server of its own for as long as it runs."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.listening import URL_VARIABLE
from leanbe_emitter.cli.invocation.param_types import SECRETS_VARIABLE
from leanbe_emitter.delivery.worker.stop_signals import stopping_signals
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.processes import ServerProcess, server_started

if TYPE_CHECKING:
    from types import FrameType

    from leanbe_emitter.seeds import Seed

#: The variables that a command finds its server by; the secret's name can be another.
DB_VARIABLE, SECRET_VARIABLE = "LEANBE_EMITTER_DB", "LEANBE_WEBHOOK_SECRET"
#: What the product is called that a webhook URL is given for.
PRODUCT = "Acme"
#: What a status of a command that a signal ended begins at.
_SIGNALLED = 128


@command("exec", example="leanbe-emitter exec -- leanbe-emitter product list", ends_in_command=True)
@click.option(
    "--webhook-url", metavar="URL", help=f"Make a product, {PRODUCT}, whose events go there."
)
@click.option("--seed-file", metavar="F", help="What the database begins with: YAML or JSON.")
@click.option(
    "--secret-env",
    type=SECRETS_VARIABLE,
    metavar="NAME",
    default=SECRET_VARIABLE,
    show_default=True,
    help="The variable that holds the secret.",
)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def exec(  # noqa: A001 - the command's own name
    invocation: Invocation,
    *,
    webhook_url: str | None,
    seed_file: str | None,
    secret_env: str,
    words: Sequence[str],
) -> None:
    """Run a command with a server of its own, on a free port and a temporary database.

    The command finds them in LEANBE_EMITTER_URL and LEANBE_EMITTER_DB, and a new secret to verify
    with in LEANBE_WEBHOOK_SECRET, which a seed file can name, too. Its exit status is passed on.
    """
    if invocation.db is not None:
        raise InvalidValue(
            "exec has a temporary database of its own, and takes no --db.",
            hint="Leave out --db; --seed-file says what it begins with. A database that is kept is "
            "served by serve.",
        )
    secret = Ids().secret()
    seed = _seed(seed_file, {**os.environ, secret_env: secret})
    with server_started() as server:
        if seed is not None or webhook_url is not None:
            _prepare(server, seed, webhook_url, secret=secret)
        told = {URL_VARIABLE: server.url, DB_VARIABLE: server.db, secret_env: secret}
        status = _run(words, told)
        if server.has_ended():
            invocation.notice("The server had ended before. Its own lines may say why.")
    if status != 0:
        invocation.notice(f"{words[0]} ended with {status}.")
        raise click.exceptions.Exit(status)


def _seed(file: str | None, environ: Mapping[str, str]) -> "Seed | None":
    if file is None:
        return None
    from leanbe_emitter.seeds import read_seed  # noqa: PLC0415 - loads YAML and SQLAlchemy

    return read_seed(file, environ)


def _prepare(
    server: ServerProcess, seed: "Seed | None", webhook_url: str | None, *, secret: str
) -> None:
    from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

    with Leanbe(server.db) as leanbe:
        if seed is not None:
            leanbe.seeds.plant(seed)
        if webhook_url is not None:
            leanbe.products.create(PRODUCT, webhook_url=webhook_url, secret=secret)


def _run(words: Sequence[str], told: Mapping[str, str]) -> int:
    """Run a command to its end, and return its status as a shell does."""
    try:
        process = subprocess.Popen(words, env={**os.environ, **told})  # noqa: S603 - what was typed
    except OSError as error:
        raise click.UsageError(f"{words[0]!r} cannot be run: {error.strerror}.") from None
    with process, _signals_to(process):
        status = process.wait()
    return status if status >= 0 else _SIGNALLED - status


@contextmanager
def _signals_to(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Leave Ctrl-C to the command, which gets it from the terminal; pass the others on."""

    def passed_on(number: int, _: "FrameType | None") -> None:
        process.send_signal(number)

    before = {each: signal.getsignal(each) for each in stopping_signals()}
    for each in before:
        signal.signal(each, signal.SIG_IGN if each is signal.SIGINT else passed_on)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

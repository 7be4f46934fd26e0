"""The command ``exec``: another command, with its own server while it runs."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.listen_address import URL_VARIABLE
from leanbe_emitter.cli.invocation.param_types import SECRETS_VARIABLE
from leanbe_emitter.delivery.worker.stop_signals import stopping_signals
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.server_process import ServerProcess, running_server

if TYPE_CHECKING:
    from types import FrameType

    from leanbe_emitter.seeds import Seed

#: The variables with the database and the secret; ``--secret-env`` renames the second.
DB_VARIABLE, SECRET_VARIABLE = "LEANBE_EMITTER_DB", "LEANBE_WEBHOOK_SECRET"
#: The name of the product that ``--webhook-url`` creates.
PRODUCT = "Acme"
#: A command that a signal ended has this status plus the signal's number.
_SIGNALLED = 128


@command("exec", example="leanbe-emitter exec -- leanbe-emitter product list", ends_in_command=True)
@click.option(
    "--webhook-url",
    metavar="URL",
    help=f"Create the product {PRODUCT}, whose events go to this URL.",
)
@click.option("--seed-file", metavar="F", help="Initial content of the database: YAML or JSON.")
@click.option(
    "--secret-env",
    type=SECRETS_VARIABLE,
    metavar="NAME",
    default=SECRET_VARIABLE,
    show_default=True,
    help="The variable for the secret.",
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
    """Run a command with its own server, on a free port and a temporary database.

    The server's clock is manual: retries wait until the command moves it.

    The command gets LEANBE_EMITTER_URL, LEANBE_EMITTER_DB, and a new secret to verify with in
    LEANBE_WEBHOOK_SECRET; a seed file can use that variable, too. exec exits with the status of the
    command.
    """
    if invocation.db is not None:
        raise InvalidValue(
            "exec has its own temporary database, and takes no --db.",
            hint="Leave out --db; --seed-file gives it content. A database that stays is served by "
            "serve.",
        )
    secret = Ids().secret()
    seed = _seed(seed_file, {**os.environ, secret_env: secret})
    with running_server() as server:
        if seed is not None or webhook_url is not None:
            _prepare(server, seed, webhook_url, secret=secret)
        variables = {URL_VARIABLE: server.url, DB_VARIABLE: server.db, secret_env: secret}
        status = _run(words, variables)
        if server.has_ended():
            invocation.notice("The server had ended before. Its own output may say why.")
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


def _run(words: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command, and return its exit status as a shell does."""
    try:
        process = subprocess.Popen(words, env={**os.environ, **variables})  # noqa: S603 - what was typed
    except OSError as error:
        raise click.UsageError(f"{words[0]!r} cannot be run: {error.strerror}.") from None
    with process, _signals_to(process):
        status = process.wait()
    return status if status >= 0 else _SIGNALLED - status


@contextmanager
def _signals_to(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Ignore Ctrl-C, which the terminal sends to the command as well; pass on other signals."""

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

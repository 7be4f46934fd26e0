"""The command ``serve``: the API, and a worker beside it."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.garbage_collection import infrequent_garbage_collection
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.listening import port_error, url_of
from leanbe_emitter.cli.invocation.notices import backlog_text
from leanbe_emitter.cli.invocation.opening import open_database, open_leanbe
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.param_types import AGE, HOST, ROOT_PATH, SEED, TARGETS
from leanbe_emitter.cli.invocation.temporary_folder import temporary_folder
from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.hosts import is_loopback

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe
    from leanbe_emitter.seeds import Seed
    from leanbe_emitter.server.http.access import Access
    from leanbe_emitter.settings import Settings


@command("serve", example="leanbe-emitter serve --port 0 --ephemeral")
@click.option("--host", type=HOST, metavar="H", help="Where to listen; 127.0.0.1 by default.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="5326 by default; 0: a free one."
)
@click.option("--ephemeral", is_flag=True, help="In a new database, which goes with the server.")
@click.option("--migrate", is_flag=True, help='Make or change tables first, as "db upgrade" does.')
@click.option(
    "--seed-file", type=SEED, metavar="F", help="What the database begins with: YAML or JSON."
)
@click.option(
    "--clock",
    type=click.Choice(["manual", "system"]),
    help="Whose the database's clock is; as it was, if left out; manual with --ephemeral.",
)
@click.option("--workers-off", is_flag=True, help="Deliver nothing: leave it to other workers.")
@click.option(
    "--keep",
    type=AGE,
    default="30d",
    show_default=True,
    metavar="TIME",
    help="How long what was settled is kept.",
)
@click.option(
    "--discard-older-than", type=AGE, metavar="TIME", help="Give up first what is owed for longer."
)
@click.option(
    "--allow-targets",
    type=TARGETS,
    metavar="LIST",
    help="Further hosts and CIDRs that may be called.",
)
@click.option("--no-token", is_flag=True, help="Let anybody in who can reach the server.")
@click.option(
    "--allowed-host",
    type=HOST,
    multiple=True,
    metavar="H",
    help="A further name that it is asked for by.",
)
@click.option("--until-eof", is_flag=True, help="Stop, too, when stdin ends: with its starter.")
@click.option(
    "--root-path", type=ROOT_PATH, default="", metavar="P", help="Where a proxy has it: /leanbe."
)
@click.pass_obj
def serve(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    host: str | None,
    port: int | None,
    ephemeral: bool,
    migrate: bool,
    seed_file: "Seed | None",
    clock: Literal["manual", "system"] | None,
    workers_off: bool,
    keep: float,
    discard_older_than: float | None,
    allow_targets: tuple[str, ...] | None,
    no_token: bool,
    allowed_host: tuple[str, ...],
    root_path: str,
    until_eof: bool,
) -> None:
    """Serve the API over HTTP, and deliver what is due.

    The first line is the URL (--output json: with database, token and pid). Actions only record;
    the worker inside delivers at once. Listening beyond this machine takes a token that callers
    have to show, in LEANBE_EMITTER_TOKEN. SIGTERM, Ctrl-C and the end of its terminal let finish
    what is at hand, and end it with 0; a second of the first two waits for nothing, and under nohup
    it outlives the terminal. With --until-eof, a server that a program starts ends with that,
    however it ended: stdin is a pipe.

    A seed file is planted where there is no product yet, and by each reset: products with what
    they have, and no event of it. See docs/seed-files.md.

    A manual clock, the same for every process on the database, holds back retries until it is
    moved: see "clock".
    """
    arguments = {"host": host, "port": port, "allow_targets": allow_targets}
    settings = invocation.settings(**arguments)
    token = _token(settings, is_open=no_token)
    clock = clock or ("manual" if ephemeral else None)
    if seed_file is not None:
        _try(seed_file, settings)
    with (
        _listening(settings.host, settings.port) as sock,
        _database(invocation, ephemeral=ephemeral, migrate=migrate),
        open_leanbe(invocation, clock=clock, **arguments) as leanbe,
    ):
        _tell_targets(invocation, settings)
        _plant(invocation, leanbe, seed_file)
        _clear(invocation, leanbe, older_than=discard_older_than)
        url = url_of(settings.host, sock.getsockname()[1])
        _serve(
            leanbe,
            settings,
            sock,
            access=_access(settings, token, hosts=allowed_host),
            root_path=root_path,
            works=not workers_off,
            keep=timedelta(seconds=keep),
            until_eof=until_eof,
            ready=_announcer(invocation, url=url, token=token),
        )


def _serve(  # noqa: PLR0913 - what is served, how, and what is done beside it
    leanbe: "Leanbe",
    settings: "Settings",
    sock: socket.socket,
    *,
    access: "Access",
    root_path: str,
    works: bool,
    keep: timedelta,
    until_eof: bool,
    ready: Callable[[], None],
) -> None:
    from leanbe_emitter.server.app import create_app  # noqa: PLC0415 - loads FastAPI
    from leanbe_emitter.server.serving import Beside  # noqa: PLC0415 - the same
    from leanbe_emitter.server.serving import serve as until_stopped  # noqa: PLC0415 - the same

    app = create_app(leanbe, settings=settings, access=access, root_path=root_path)
    beside = Beside(works=works, keep=keep, until=sys.stdin if until_eof else None)
    with infrequent_garbage_collection():
        asyncio.run(until_stopped(app, leanbe, sock=sock, beside=beside, ready=ready))


def _token(settings: "Settings", *, is_open: bool) -> str:
    """Return what callers have to show; without one, nobody but this machine may reach the server.

    Raises:
        InvalidValue: others can, and no token was set.
    """
    if is_open:
        return ""
    if not (settings.token or is_loopback(settings.host)):
        raise InvalidValue(
            f"Others can reach a server at {settings.host}, and it has no token.",
            hint="Set LEANBE_EMITTER_TOKEN; or --no-token, if anybody may use it.",
        )
    return settings.token


def _access(settings: "Settings", token: str, *, hosts: tuple[str, ...]) -> "Access":
    from leanbe_emitter.server.http.access import Access  # noqa: PLC0415 - loads FastAPI

    return Access(
        token=token, hosts=frozenset(hosts), any_host=not (hosts or is_loopback(settings.host))
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port before anything else is done.

    Raises:
        PortTaken: nothing can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        *_, address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
        sock = socket.create_server(address, family=family)
    except OSError as error:
        raise port_error(error, host=host, port=port) from None
    with sock:
        # Connections inherit it. asyncio sets it only where a socket was made for TCP by name, and
        # without it a kept connection's answers wait 40 ms for the client's acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


@contextmanager
def _database(invocation: Invocation, *, ephemeral: bool, migrate: bool) -> Iterator[None]:
    """See to it that the invocation's database can be opened."""
    if not ephemeral:
        if migrate:
            _migrate(invocation.settings().db)
        yield
        return
    if invocation.db is not None:
        raise click.UsageError("--ephemeral and --db contradict each other.")
    with temporary_folder() as folder:
        invocation.db = f"sqlite:///{folder}/leanbe-emitter.db"
        yield


def _migrate(url: str) -> None:
    from leanbe_emitter.storage.schema import migrate  # noqa: PLC0415 - loads SQLAlchemy

    with open_database(url) as database:
        migrate.upgrade(database)


def _tell_targets(invocation: Invocation, settings: "Settings") -> None:
    """Say what targets that were allowed do not do: who names them may expect a limit."""
    rules = settings.target_rules
    if rules.allow and not rules.exposed:
        invocation.notice(
            "As only this machine reaches the server, webhooks go anywhere but to link-local, "
            "multicast and metadata addresses: --allow-targets adds to that, and limits nothing."
        )


def _try(seed: "Seed", settings: "Settings") -> None:
    """Plant a seed file where it is of no use: what is wrong in it is told before anything is made.

    Raises:
        click.BadParameter: the domain refuses something that it says.
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


def _plant(invocation: Invocation, leanbe: "Leanbe", seed: "Seed | None") -> None:
    """Let the database begin with a seed file, and say whether it was planted now."""
    if seed is None:
        return
    if leanbe.seeds.plant(seed):
        invocation.notice(f"Planted {seed.name}.")
    else:
        invocation.notice(f"There are products already: a reset plants {seed.name}.")


def _clear(invocation: Invocation, leanbe: "Leanbe", *, older_than: float | None) -> None:
    """Give up what is owed for too long, if that is wanted, and say what is due."""
    if older_than is not None:
        from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

        before = leanbe.clock.now() - timedelta(seconds=older_than)
        gone = leanbe.deliveries.discard(which=Filter(before=before))
        invocation.notice(f"Discarded {len(gone)}.")
    invocation.notice(backlog_text(leanbe.due(), now=leanbe.clock.now()))


def _announcer(invocation: Invocation, *, url: str, token: str) -> Callable[[], None]:
    from leanbe_emitter.server.openapi import page  # noqa: PLC0415 - loads FastAPI
    from leanbe_emitter.storage.engine.urls import parse_database_url, shown  # noqa: PLC0415 - slow

    def announce() -> None:
        invocation.notice(f"The API, to read and to try: {url}{page.PATH}")
        if invocation.output_format not in {OutputFormat.JSON, OutputFormat.JSONL}:
            output.print_text(url)
            return
        db = shown(parse_database_url(invocation.settings().db))
        document = {"url": url, "db": db, "token": token or None, "pid": os.getpid()}
        output.print_row(OutputFormat.JSONL, document, columns=[])

    return announce

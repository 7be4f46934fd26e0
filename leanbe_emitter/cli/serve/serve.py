"""The command ``serve``: the API, and a worker beside it."""

import asyncio
import os
import shlex
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation, backlog_text, open_database
from leanbe_emitter.cli.invocation.listen_address import port_error, url_of
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.param_types import AGE, HOST, ROOT_PATH, SEED, WholeNumber
from leanbe_emitter.cli.invocation.process_tuning import (
    connections_by_default,
    infrequent_garbage_collection,
    raise_descriptor_limit,
)
from leanbe_emitter.cli.invocation.temporary_folder import temporary_folder
from leanbe_emitter.cli.serve.initial_content import check_seed, planted
from leanbe_emitter.clock import MANUAL
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.host_syntax import is_loopback

if TYPE_CHECKING:
    from leanbe_emitter.delivery.watching import Watcher
    from leanbe_emitter.library import Leanbe
    from leanbe_emitter.seeds import Seed
    from leanbe_emitter.server.http.access import Access
    from leanbe_emitter.settings import Settings

#: Formats in which the readiness line is all of the output.
_FOR_PROGRAMS: Final = frozenset({OutputFormat.JSON, OutputFormat.JSONL})
_API_PAGE: Final = "/docs"


@command("serve", example="leanbe-emitter serve --port 0 --ephemeral")
@click.option("--host", type=HOST, metavar="H", help="Address to listen at; default: 127.0.0.1.")
@click.option(
    "--port", type=WholeNumber(0, 65535), metavar="N", help="Port; default: 5326. 0: a free one."
)
@click.option(
    "--ephemeral", is_flag=True, help="Use a new database, and delete it when the server ends."
)
@click.option("--migrate", is_flag=True, help='Upgrade the tables first, as "db upgrade" does.')
@click.option(
    "--seed-file", type=SEED, metavar="F", help="Initial content of the database: YAML or JSON."
)
@click.option(
    "--receiver",
    metavar="PRODUCT",
    help="Also run a receiver, and point this product to it; it is created if it is missing.",
)
@click.option(
    "--clock",
    type=click.Choice(["manual", "system"]),
    help="Clock of the database; default: unchanged. A new database has the system clock.",
)
@click.option("--workers-off", is_flag=True, help="Deliver nothing; other workers do.")
@click.option(
    "--keep",
    type=AGE,
    default="30d",
    show_default=True,
    metavar="TIME",
    help="How long to keep settled deliveries.",
)
@click.option(
    "--discard-older-than",
    type=AGE,
    metavar="TIME",
    help="Cancel pending deliveries that are older, before the start.",
)
@shared_options.allow_targets("Further hosts and CIDRs that webhooks may call.")
@shared_options.only_targets
@click.option("--no-token", is_flag=True, help="Let anyone who can reach the server use it.")
@click.option(
    "--allowed-host",
    type=HOST,
    multiple=True,
    metavar="H",
    help="A further host name of the server.",
)
@click.option("--until-eof", is_flag=True, help="Also stop when stdin ends.")
@click.option("--open", "opens", is_flag=True, help="Open the server's page in a browser.")
@click.option(
    "--root-path",
    type=ROOT_PATH,
    default="",
    metavar="P",
    help="The path at which a proxy publishes the server: /leanbe.",
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
    receiver: str | None,
    clock: Literal["manual", "system"] | None,
    workers_off: bool,
    keep: float,
    discard_older_than: float | None,
    allow_targets: tuple[str, ...] | None,
    only_targets: tuple[str, ...] | None,
    no_token: bool,
    allowed_host: tuple[str, ...],
    root_path: str,
    until_eof: bool,
    opens: bool,
) -> None:
    """Serve the API over HTTP, and deliver what is due.

    The first line of the output is the URL, which is a page for people, too (--output json: with
    database, token and pid). Requests record events, and the worker inside the server delivers them
    at once. Each attempt is printed, as "worker" prints it, unless the output is JSON or --quiet is
    given. To listen beyond this machine, set LEANBE_EMITTER_TOKEN to a token, which clients must
    then send.

    At SIGTERM, Ctrl-C or the end of the terminal, the server finishes its work in flight and exits
    with 0. At a second SIGTERM or Ctrl-C it exits at once. Under nohup it outlives the terminal.
    A program that starts the server can pass a pipe as stdin with --until-eof: the server ends with
    the program, even if the program is killed.

    A seed file fills a database without products, and again after each reset: with products and
    their documents, but without events. See docs/seed-files.md.

    With --receiver, a receiver runs beside the server, as a process that ends with it. It verifies
    what the product sends: the first event is delivered without a second terminal.

    Retries come when they are due by the machine's clock. With --clock manual, time stands still
    for every process on the database, and retries wait until you move the clock: see "clock". A
    server on such a database says so at its start.
    """
    arguments = {
        "host": host,
        "port": port,
        "allow_targets": allow_targets,
        "only_targets": only_targets,
    }
    settings = invocation.settings(**arguments)
    raise_descriptor_limit()
    token = _token(settings, is_open=no_token)
    if seed_file is not None:
        check_seed(seed_file, settings)
    with (
        ExitStack() as stack,
        _listening(settings.host, settings.port) as sock,
        _database(invocation, ephemeral=ephemeral, migrate=migrate),
        invocation.open_leanbe(clock=clock, **arguments) as leanbe,
    ):
        leanbe.require_ready()  # a server that cannot write would only refuse requests
        url = url_of(settings.host, sock.getsockname()[1])
        _notice_page(invocation, url=url, token=token)
        _notice_targets(invocation, settings)
        stack.enter_context(planted(invocation, leanbe, seed_file, receiver=receiver))
        _discard_old(invocation, leanbe, older_than=discard_older_than)
        _notice_clock(invocation, leanbe, url=url, token=token)
        _serve(
            invocation,
            leanbe,
            settings,
            sock,
            access=_access(settings, token, hosts=allowed_host),
            root_path=root_path,
            works=not workers_off,
            keep=timedelta(seconds=keep),
            until_eof=until_eof,
            ready=_announcer(invocation, url=url, token=token, opens=opens),
        )


def _serve(  # noqa: PLR0913 - what is served, how, and what is done beside it
    invocation: Invocation,
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
    from leanbe_emitter.server.app import create_app  # noqa: PLC0415 - loads Starlette
    from leanbe_emitter.server.serving import BackgroundJobs  # noqa: PLC0415 - the same
    from leanbe_emitter.server.serving import serve as until_stopped  # noqa: PLC0415 - the same

    app = create_app(leanbe, settings=settings, access=access, root_path=root_path)
    with _printing(invocation) as watcher, infrequent_garbage_collection():
        serving = until_stopped(
            app,
            leanbe,
            sock=sock,
            max_connections=settings.max_connections or connections_by_default(),
            background=BackgroundJobs(
                works=works, keep=keep, until=sys.stdin if until_eof else None
            ),
            ready=ready,
            watcher=watcher,
        )
        asyncio.run(serving)


@contextmanager
def _printing(invocation: Invocation) -> Iterator["Watcher | None"]:
    """Print the worker's attempts, unless a program reads the output or nobody wants them."""
    if invocation.quiet or invocation.output_format in _FOR_PROGRAMS:
        yield None
        return
    from leanbe_emitter.cli.invocation.attempt_printer import printing_turns  # noqa: PLC0415 - slow

    with printing_turns(invocation) as watcher:
        yield watcher


def _token(settings: "Settings", *, is_open: bool) -> str:
    """Return the token that clients must send; empty if they need none.

    Raises:
        InvalidValue: other machines can reach the server, and it has no token.
    """
    if is_open:
        return ""
    if not (settings.token or is_loopback(settings.host)):
        raise InvalidValue(
            f"Other machines can reach a server at {settings.host}, and it has no token.",
            hint="Set LEANBE_EMITTER_TOKEN; or give --no-token, if everybody may use it.",
        )
    return settings.token


def _access(settings: "Settings", token: str, *, hosts: tuple[str, ...]) -> "Access":
    from leanbe_emitter.server.http.access import Access  # noqa: PLC0415 - loads Starlette

    is_exposed = not is_loopback(settings.host)
    return Access(
        token=token,
        hosts=frozenset(hosts),
        # Without a token, a name that somebody else gave this machine would let its pages in.
        any_host=is_exposed and bool(token) and not hosts,
        any_address=is_exposed,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen at the port, before anything else happens.

    Raises:
        PortTaken: the server cannot listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        *_, address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
        sock = socket.create_server(address, family=family)
    except OSError as error:
        raise port_error(error, host=host, port=port) from None
    with sock:
        # Connections inherit this option. asyncio sets it only on sockets whose protocol is TCP by
        # name. Without it, answers on a kept connection wait 40 ms for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


@contextmanager
def _database(invocation: Invocation, *, ephemeral: bool, migrate: bool) -> Iterator[None]:
    """Prepare the database: a temporary one, or tables that are up to date."""
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


def _notice_targets(invocation: Invocation, settings: "Settings") -> None:
    """Explain ``--allow-targets`` to a user who may expect that it limits targets."""
    rules = settings.target_rules
    if rules.allow and not rules.exposed:
        invocation.notice(
            "Only this machine reaches the server, so webhooks may go to all addresses except "
            "link-local, multicast and metadata addresses. --allow-targets adds to these, and "
            "limits nothing. --only-targets limits them."
        )


def _notice_page(invocation: Invocation, *, url: str, token: str) -> None:
    """Say where the page is. Only a person's terminal gets the link with the token."""
    link = f"{url}/#token={quote(token, safe='')}" if token and sys.stderr.isatty() else f"{url}/"
    invocation.notice_line(f"Open {link} in a browser; the API is described at {url}{_API_PAGE}")


def _notice_clock(invocation: Invocation, leanbe: "Leanbe", *, url: str, token: str) -> None:
    """Say that time stands still, and how to move it: nobody expects that of a server."""
    if leanbe.clock.kind != MANUAL:
        return
    invocation.notice(
        "The clock is manual: time stands still at "
        f"{output.format_instant(leanbe.clock.now())}, and retries wait until you move it:\n"
        f"  leanbe-emitter clock advance 1h{_db_option(invocation)}\n"
        f"  curl {_bearer(token)}{url}/api/v1/clock/advance -d '{{\"seconds\": 3600}}'"
    )


def _db_option(invocation: Invocation) -> str:
    """Return the option with which another command finds the database, without its password."""
    from leanbe_emitter.storage.engine.database_urls import parse_database_url, shown  # noqa: PLC0415 - slow

    if invocation.db is None:
        return ""
    return f" --db {shlex.quote(shown(parse_database_url(invocation.db)))}"


def _bearer(token: str) -> str:
    """Return curl's option for the token: the name of its variable, never the token itself."""
    return '-H "Authorization: Bearer $LEANBE_EMITTER_TOKEN" ' if token else ""


def _discard_old(invocation: Invocation, leanbe: "Leanbe", *, older_than: float | None) -> None:
    """Cancel deliveries that are too old, if the user wants it, and print the backlog."""
    if older_than is not None:
        from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

        before = leanbe.clock.now() - timedelta(seconds=older_than)
        gone = leanbe.deliveries.discard(which=Filter(before=before))
        invocation.notice(f"Discarded {len(gone)}.")
    invocation.notice(backlog_text(leanbe.due(), now=leanbe.clock.now()))


def _announcer(invocation: Invocation, *, url: str, token: str, opens: bool) -> Callable[[], None]:
    from leanbe_emitter.storage.engine.database_urls import parse_database_url, shown  # noqa: PLC0415 - slow

    def announce() -> None:
        if opens:
            # A browser may take its time, or the terminal.
            threading.Thread(target=_open, args=(invocation, url), daemon=True).start()
        if invocation.output_format not in _FOR_PROGRAMS:
            output.print_text(url)
            return
        db = shown(parse_database_url(invocation.settings().db))
        document = {"url": url, "db": db, "token": token or None, "pid": os.getpid()}
        output.print_row(OutputFormat.JSONL, document, columns=[])

    return announce


def _open(invocation: Invocation, url: str) -> None:
    """Open the page; the browser's arguments, which others can see, have no token."""
    if not webbrowser.open(f"{url}/"):
        invocation.notice("No browser could be started. Open the page yourself.")

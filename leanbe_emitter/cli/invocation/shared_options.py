"""Options that several commands have, each declared once."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import click

from leanbe_emitter.cli.invocation import completion
from leanbe_emitter.cli.invocation.commands import EnumChoice
from leanbe_emitter.cli.invocation.param_types import (
    ASSIGNMENT,
    CONTENT,
    DURATION,
    EVENT,
    HEADER,
    ONLY_TARGETS,
    PATH_AND_JSON,
    PATH_AND_TEXT,
    SECRET,
    TARGETS,
    WholeNumber,
)
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.explain.languages import Language

#: The default and the maximum length of a page of events or deliveries.
PAGE_LENGTH, _MAX_PAGE_LENGTH = 50, 200

F = TypeVar("F", bound=Callable[..., Any])


def product_option(words: str) -> Callable[[F], F]:
    """Return an option ``--product`` with these words about it."""
    return click.option("--product", metavar="P", shell_complete=completion.PRODUCTS, help=words)


def duration(name: str, default: str, words: str) -> Callable[[F], F]:
    """Return an option whose value is a duration, in seconds for the command."""
    return click.option(
        name, type=DURATION, default=default, show_default=True, metavar="TIME", help=words
    )


#: ``--product``; the only product needs no name.
product = product_option("Name or id; not needed while there is only one product.")
#: ``--product`` as a filter.
product_filter = product_option("Only of this product: name or id.")
#: ``--product`` whose assumptions apply.
assumptions_of_product = product_option(
    "Use its assumptions: name or id; not needed while there is only one product."
)
#: ``--hashed``, the bytes that a receiver hashed.
hashed = click.option(
    "--hashed",
    type=CONTENT,
    help="What the receiver hashed, byte for byte: the first difference is shown.",
)
#: ``--lang``, the language of the receiver.
lang = click.option(
    "--lang",
    type=click.Choice([each.value for each in Language]),
    help="The receiver's language, for the repair; by default, the mistake tells it.",
)
#: ``--event`` as a filter.
event_filter = click.option(
    "--event", type=EVENT, metavar="GLOB", help="An event name, or a glob such as 'idea.*'."
)
#: ``--status`` as a filter.
status_filter = click.option(
    "--status", type=EnumChoice(DeliveryStatus), help="The status of the delivery."
)
#: ``--yes``, of a command that asks on a terminal.
yes = click.option("--yes", is_flag=True, help="Do not ask on a terminal whether to go on.")
#: ``--limit``, of a list that shows all evidence.
limit = click.option(
    "--limit",
    type=WholeNumber(1, _MAX_PAGE_LENGTH),
    default=PAGE_LENGTH,
    show_default=True,
    help="The length of the page.",
)
#: ``--after``: where a list continues.
after = click.option("--after", metavar="CURSOR", help="Continue after the previous page.")
#: ``--timeout``, of a command that waits.
timeout = duration("--timeout", "30s", "How long to wait.")
#: ``--assume NAME=VALUE``, as often as wanted.
assume = click.option(
    "--assume",
    type=ASSIGNMENT,
    multiple=True,
    shell_complete=completion.ASSIGNMENTS,
    metavar="NAME=VALUE",
    help='Set an assumption; see "assumptions list".',
)
#: ``--secret`` of a webhook.
secret = click.option("--secret", type=SECRET, help="Text, env:NAME or @FILE; default: generated.")
#: ``--secret`` of a command that needs one.
required_secret = click.option(
    "--secret", type=SECRET, required=True, help="Text, env:NAME or @FILE."
)
#: ``--header NAME:VALUE``, as often as wanted.
headers = click.option(
    "--header",
    "headers",
    type=HEADER,
    multiple=True,
    metavar="NAME:VALUE",
    help="An additional header of every request.",
)
#: ``--only-targets`` of a command that delivers.
only_targets = click.option(
    "--only-targets",
    type=ONLY_TARGETS,
    metavar="LIST",
    help="The only hosts and CIDRs that webhooks may call.",
)


def allow_targets(words: str) -> Callable[[F], F]:
    """Return an option ``--allow-targets`` with these words about it."""
    return click.option("--allow-targets", type=TARGETS, metavar="LIST", help=words)


def dry_run_page(command: F) -> F:
    """Add ``--limit`` and ``--after`` of the list that ``--dry-run`` prints."""
    limit_ = click.option(
        "--limit",
        type=WholeNumber(1, _MAX_PAGE_LENGTH),
        help=f"With --dry-run: the length of the page; default: {PAGE_LENGTH}.",
    )
    after_ = click.option(
        "--after", metavar="CURSOR", help="With --dry-run: continue after the previous page."
    )
    return limit_(after_(command))


def delivery_options(command: F) -> F:
    """Add ``--follow`` and ``--no-deliver``, which contradict each other."""

    @wraps(command)
    def checked(*args: object, follow: bool, no_deliver: bool, **given: object) -> object:
        if follow and no_deliver:
            raise click.UsageError(
                "--follow and --no-deliver contradict each other: give one of them."
            )
        return command(*args, follow=follow, no_deliver=no_deliver, **given)

    follow = click.option(
        "--follow",
        is_flag=True,
        help="Wait until the deliveries are settled, or need a manual clock to move. Exits with 0 "
        "if all are delivered in the end.",
    )
    no_deliver = click.option(
        "--no-deliver", is_flag=True, help="Leave the first attempt to a worker."
    )
    return cast("F", follow(no_deliver(checked)))


def certificate_options(command: F) -> F:
    """Add ``--ca-file`` and ``--insecure``: the check of the receiver's certificate."""
    ca_file = click.option(
        "--ca-file",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        metavar="FILE",
        help="Trust these authorities (PEM) instead of the system's.",
    )
    insecure = click.option("--insecure", is_flag=True, help="Accept any certificate.")
    return ca_file(insecure(command))


def payload_changes(command: F) -> F:
    """Add changes of a sample payload: ``--set``, ``--set-json``, ``--unset``."""
    unset = click.option(
        "--unset",
        multiple=True,
        metavar="PATH",
        shell_complete=completion.PATHS_TO_UNSET,
        help="Remove a key from the payload.",
    )
    eg = ("title=Hi, country.countryCode=FR, tags[0].title=ui", "upvotes=3, tags=[]")
    return _sets(unset(command), of="payload", eg=eg, complete=completion.PATHS_TO_SET)


def field_changes(command: F, *, eg: tuple[str, str]) -> F:
    """Add changes of a document's fields: ``--set``, ``--set-json``, ``--unset``.

    Args:
        command: the command.
        eg: an example of ``--set``, and one of ``--set-json``.
    """
    unset = click.option("--unset", multiple=True, metavar="PATH", help="Remove a value.")
    return field_values(unset(command), eg=eg)


def field_values(command: F, *, eg: tuple[str, str]) -> F:
    """Add values of a new document's fields: ``--set``, ``--set-json``."""
    return _sets(command, of="document", eg=eg)


def _sets(
    command: F, *, of: str, eg: tuple[str, str], complete: completion.Completer | None = None
) -> F:
    as_text = click.option(
        "--set",
        "set_text",
        type=PATH_AND_TEXT,
        multiple=True,
        metavar="PATH=TEXT",
        shell_complete=complete,
        help=f"Set text in the {of}: {eg[0]}.",
    )
    as_json = click.option(
        "--set-json",
        type=PATH_AND_JSON,
        multiple=True,
        metavar="PATH=JSON",
        shell_complete=complete,
        help=f"Set any other value in the {of}: {eg[1]}.",
    )
    return as_text(as_json(command))

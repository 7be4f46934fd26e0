"""The commands of the six resources: create, update, show, list, delete, and verbs.

``wire.payloads.declarations`` says what users can do with a resource. A group adds what only the
command line has: options, columns, and the texts of the help.

An action is one transaction. On a terminal, its document is a table and the attempts follow it. In
every other format, stdout carries only the document, the same that a webhook carries, and stderr
shows the attempts. A printed document is committed: a refused action prints nothing but the error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import click

from leanbe_emitter.cli.act.field_options import (
    FieldOption,
    PathChanges,
    add_argument,
    add_filter,
    changed,
    typed,
)
from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.attempt_printer import (
    BY_ANY_WORKER_OR_FOLLOW,
    AttemptPrinter,
    printing_attempts,
    who_retries,
)
from leanbe_emitter.cli.invocation.commands import Group, subcommand
from leanbe_emitter.cli.invocation.exit_status import require_delivered
from leanbe_emitter.cli.invocation.invocation import (
    Invocation,
    notice_events_without_delivery,
    select_product,
)
from leanbe_emitter.cli.invocation.output import Column, Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import WholeNumber
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.wire.payloads import declarations
from leanbe_emitter.wire.payloads.event_payloads import document_shape

if TYPE_CHECKING:
    from leanbe_emitter.outbox import Recorded

F = TypeVar("F", bound=Callable[..., Any])

#: The default length of a page of documents.
_PAGE = 50

_STDOUT = (
    "Prints the document as the webhook carries it (--output json), and each attempt: on a "
    "terminal below the document, else on stderr."
)


class Snapshot(Protocol):
    """A document as the library returns it."""

    def document(self) -> Document:
        """Return the document."""


#: Runs on a product's documents of one kind, in a transaction.
Action = Callable[[Any], Snapshot]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of document on the command line.

    Attributes:
        declaration: what users can do with it.
        columns: the columns of a table and of ``plain``.
        fields: the options of ``create`` and ``update``.
        only_new: further options of ``create``.
        eg: examples of ``--set`` and of ``--set-json``.
        by: what names one document, in words.
    """

    declaration: declarations.Declaration
    columns: Sequence[Column]
    fields: Sequence[FieldOption]
    eg: tuple[str, str]
    only_new: Sequence[FieldOption] = ()
    by: str = "its id, or six digits of either end of it"


@dataclass(frozen=True, kw_only=True)
class Words:
    """Texts of the help of a command.

    Attributes:
        example: the example at its end.
        about: its text; those of ``show`` and ``list`` are the same for each resource, and the
            declaration has those of verbs.
        is_by_word: whether a verb's argument is a word of its own, and no option.
    """

    example: str
    about: str = ""
    is_by_word: bool = False


def add_commands(group: Group, resource: Resource, commands: Mapping[str, Words]) -> None:
    """Add the commands of a resource to its group, in this order."""
    for name, words in commands.items():
        if name in _COMMON:
            command = _COMMON[name](resource, words)
        else:
            command = _verb(resource, resource.declaration.verb(name), words)
        subcommand(group, name, example=words.example)(command)


def _create(resource: Resource, words: Words) -> Callable[..., Any]:
    own = (*resource.fields, *resource.only_new)

    @_with_action_options
    def create(invocation: Invocation, options: "_ActionOptions", given: Mapping[str, Any]) -> None:
        values, paths = typed(own, given), PathChanges.of(given)
        fields = changed(resource.declaration, {}, values, paths)
        _act(invocation, resource, options, lambda documents: documents.create(**fields))

    create.__doc__ = f"{words.about}\n\n{_STDOUT}"
    return _with(own, resource, shared_options.field_values(create, eg=resource.eg))


def _update(resource: Resource, words: Words) -> Callable[..., Any]:
    @_with_action_options
    def update(invocation: Invocation, options: "_ActionOptions", given: Mapping[str, Any]) -> None:
        values, paths = typed(resource.fields, given), PathChanges.of(given)
        if not values and not paths.touched:
            raise click.UsageError("There is nothing to change: give an option, --set or --unset.")

        def edited(documents: Any) -> Snapshot:
            before = documents.get(given["reference"])
            fields = changed(resource.declaration, before.document(), values, paths)
            return cast("Snapshot", documents.update(before, **fields))

        _act(invocation, resource, options, edited)

    update.__doc__ = (
        f"{words.about}\n\nA path changes only the value at its end. An option for a list replaces "
        "the whole list. Options apply first, then --set, --set-json and --unset. "
        f"{_STDOUT}"
    )
    paths = shared_options.field_changes(update, eg=resource.eg)
    return _reference(resource, _with(resource.fields, resource, paths))


def _show(resource: Resource, _: Words) -> Callable[..., Any]:
    @shared_options.product
    @click.pass_obj
    def show(invocation: Invocation, *, reference: str, product: str | None) -> None:
        with invocation.open_documents() as documents:
            of_product = documents.of(product, resource.declaration.collection)
            document = of_product.get(reference).document()
        output.print_document(invocation.output_format, document, columns=_all_columns(resource))

    show.__doc__ = (
        f"Show one {resource.declaration.noun}, named by {resource.by}.\n\n"
        "--output json prints the same document that a webhook carries."
    )
    return _reference(resource, show)


def _list(resource: Resource, _: Words) -> Callable[..., Any]:
    @shared_options.product
    @click.option("--q", metavar="TEXT", help="A text in the title, the name or the e-mail.")
    @click.option(
        "--order",
        type=click.Choice(["oldest", "newest"]),
        default="oldest",
        show_default=True,
        help="Which comes first.",
    )
    @click.option("--limit", type=WholeNumber(min=1), default=_PAGE, show_default=True)
    @shared_options.after
    @click.pass_obj
    def list_(invocation: Invocation, /, *, product: str | None, **wanted: Any) -> None:
        with invocation.open_documents() as documents:
            of_product: Any = documents.of(product, resource.declaration.collection)
            invocation.print_page(of_product.list(**wanted), resource.columns)

    list_.__doc__ = (
        f"List {resource.declaration.plural}, the oldest first, or the newest.\n\nIf there are "
        "more, stderr shows the cursor for --after. "
        '--output json prints {"items": [...], "cursor": ...}.'
    )
    command: Callable[..., Any] = list_
    for each in reversed(resource.declaration.filters):
        command = add_filter(command, resource.declaration, each.name)
    return command


def _delete(resource: Resource, words: Words) -> Callable[..., Any]:
    @_with_action_options
    def delete(invocation: Invocation, options: "_ActionOptions", given: Mapping[str, Any]) -> None:
        def deleted(documents: Any) -> Snapshot:
            last = documents.get(given["reference"])
            documents.delete(last)
            return cast("Snapshot", last)

        _act(invocation, resource, options, deleted)

    delete.__doc__ = f"{words.about}\n\nPrints the last state of the document."
    return _reference(resource, delete)


def _verb(resource: Resource, verb: declarations.Verb, words: Words) -> Callable[..., Any]:
    @_with_action_options
    def act(invocation: Invocation, options: "_ActionOptions", given: dict[str, Any]) -> None:
        reference = given.pop("reference")
        _act(
            invocation,
            resource,
            options,
            lambda documents: getattr(documents, verb.method)(reference, **given),
        )

    act.__doc__ = verb.about
    command: Callable[..., Any] = act
    for argument in reversed(verb.input.arguments):
        command = add_argument(command, argument, is_word=words.is_by_word)
    return _reference(resource, command)


_COMMON = {"create": _create, "update": _update, "show": _show, "list": _list, "delete": _delete}


def _reference(resource: Resource, command: F) -> F:
    """Add the argument that names one document; the command gets it as ``reference``."""
    metavar = resource.declaration.noun.upper().replace(" ", "-")
    complete = completion.documents(resource.declaration.collection)
    return click.argument("reference", metavar=metavar, shell_complete=complete)(command)


def _with(own: Sequence[FieldOption], resource: Resource, command: F) -> F:
    """Add the options of these fields."""
    shape = document_shape(resource.declaration.name)
    for option in reversed(own):
        command = option.added_to(command, shape)
    return command


def _all_columns(resource: Resource) -> Sequence[Column]:
    """Return the resource's columns, then every other field of the document."""
    shown = {column.title for column in resource.columns} | {"_id"}
    shape = document_shape(resource.declaration.name)
    rest = [each.name for each in shape.fields if each.name not in shown]
    return [*resource.columns, *(output.column(name) for name in rest)]


@dataclass(frozen=True, kw_only=True)
class _ActionOptions:
    """The options of every action.

    Attributes:
        product: name or id; None for the only product.
        follow: whether to wait until the deliveries are settled.
        no_deliver: whether to leave the first attempts to a worker.
    """

    product: str | None
    follow: bool
    no_deliver: bool


def _with_action_options(
    command: Callable[[Invocation, _ActionOptions, dict[str, Any]], None],
) -> Callable[..., None]:
    """Add ``--product``, ``--follow``, ``--no-deliver``; the command gets them in one object."""

    @click.pass_obj
    def run(
        invocation: Invocation,
        /,
        *,
        product: str | None,
        follow: bool,
        no_deliver: bool,
        **given: Any,
    ) -> None:
        options = _ActionOptions(product=product, follow=follow, no_deliver=no_deliver)
        command(invocation, options, given)

    return shared_options.product(shared_options.delivery_options(run))


def _act(
    invocation: Invocation, resource: Resource, options: _ActionOptions, action: Action
) -> None:
    """Run an action in one transaction, print its document, and deliver its events.

    Raises:
        Failed: an attempt was not accepted; of followed deliveries, one did not end delivered.
        LeanbeError: the domain refused the action.
    """
    if options.no_deliver:
        _act_and_leave(invocation, resource, options, action)
        return
    with (
        invocation.open_leanbe() as leanbe,
        printing_attempts(
            invocation,
            retried_by="" if options.follow else who_retries(leanbe, BY_ANY_WORKER_OR_FOLLOW),
            to_stderr=invocation.output_format is not OutputFormat.TABLE,
            is_followed=options.follow,
        ) as watcher,
    ):
        shown = _DocumentFirst(invocation.output_format, resource.columns, watcher)
        with leanbe.foreground(shown) as events:
            product = select_product(leanbe, options.product)
            shown.snapshot = action(getattr(product, resource.declaration.collection))
        shown.show()
        _notice_events(invocation, events.recorded)
        if options.follow:
            leanbe.follow(events.deliveries, watcher=watcher)
            require_delivered(leanbe, events.deliveries)


def _act_and_leave(
    invocation: Invocation, resource: Resource, options: _ActionOptions, action: Action
) -> None:
    """Do the same, but leave the first attempts to a worker, and load no sender."""
    with invocation.open_documents() as documents, documents.transaction() as transaction:
        snapshot = action(documents.of(options.product, resource.declaration.collection))
    document = snapshot.document()
    output.print_document(invocation.output_format, document, columns=resource.columns)
    _notice_events(invocation, transaction.recorded)
    owed = ", ".join(
        f"{each.name} {output.abbreviated(each.delivery_id)}"
        for each in transaction.recorded
        if each.delivery_id is not None
    )
    if owed:
        invocation.notice(f"{owed}: left to a worker. Run one with: leanbe-emitter worker --drain")


def _notice_events(invocation: Invocation, recorded: "Sequence[Recorded]") -> None:
    """Print notices about events that the attempts do not show."""
    if not recorded:
        invocation.notice("No event: nothing changed, or Leanbe has no event for this change.")
    notice_events_without_delivery(
        invocation, (each.name for each in recorded if each.delivery_id is None)
    )


class _DocumentFirst(Watcher):
    """A watcher that prints the document when the transaction is committed, before any attempt.

    A user who interrupts a receiver without an answer has the document by then.
    """

    def __init__(
        self, output_format: OutputFormat, columns: Sequence[Column], watcher: AttemptPrinter
    ) -> None:
        self._form = output_format
        self._columns = columns
        self._printing = watcher
        self.snapshot: Snapshot | None = None

    def show(self) -> None:
        """Print the document, once."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot is not None:
            output.print_document(self._form, snapshot.document(), columns=self._columns)

    def started(self, attempt: StartedAttempt) -> None:
        """Print the document, then the line out."""
        self.show()
        self._printing.started(attempt)

    def ended(self, attempt: Attempt) -> None:
        """Print the line back."""
        self._printing.ended(attempt)

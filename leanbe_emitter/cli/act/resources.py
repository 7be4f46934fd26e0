"""What the six groups of domain commands share: create, update, show, list, delete.

A group says what its resource has of its own (``Resource``: options, filters, columns), and each of
these commands is made from that; its verbs of its own are commands like any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from leanbe_emitter.cli.act.action import ActionOptions, Snapshot, act, with_action_options
from leanbe_emitter.cli.act.fields import FieldOption, PathChanges, changed, typed
from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import Group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe, select_product
from leanbe_emitter.cli.invocation.output import Column
from leanbe_emitter.wire.payloads.resources import document_shape

if TYPE_CHECKING:
    from leanbe_emitter.library import Product

F = TypeVar("F", bound=Callable[..., Any])

#: How many documents a list shows unless it is told otherwise.
_PAGE = 50

_STDOUT = (
    "Prints the document as the webhook carries it (--output json), and each attempt: on a "
    "terminal below it, else on stderr."
)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A kind of document, as the command line has it.

    Attributes:
        name: one of ``wire.payloads.RESOURCES``.
        noun: in words: ``idea request``.
        collection: what the library calls all of a product's: ``idea_requests``.
        columns: what a person sees of one.
        fields: the options of ``create`` and ``update``.
        only_new: further options of ``create``.
        eg: examples of ``--set`` and of ``--set-json``.
        by: how one is named, in words.
    """

    name: str
    noun: str
    collection: str
    columns: Sequence[Column]
    fields: Sequence[FieldOption]
    eg: tuple[str, str]
    only_new: Sequence[FieldOption] = field(default=())
    by: str = "its id, or six digits of either end of it"

    @property
    def metavar(self) -> str:
        """What stands for one in help texts."""
        return self.noun.upper().replace(" ", "-")

    def of(self, product: "Product") -> Any:
        """Return all of a product's."""
        return getattr(product, self.collection)

    @property
    def settable(self) -> Sequence[str]:
        """The fields that may be set, by the document's names."""
        rules = import_module(f"leanbe_emitter.domain.{self.collection}")
        return cast("Sequence[str]", rules.SETTABLE)

    def argument(self, command: F) -> F:
        """Add the argument that names one; the command is given it as ``reference``."""
        return click.argument("reference", metavar=self.metavar)(command)

    def act(
        self, invocation: Invocation, options: ActionOptions, action: Callable[[Any], Snapshot]
    ) -> None:
        """Let something be done with the product's documents of this kind; see ``acting.act``."""
        act(invocation, options, lambda product: action(self.of(product)), columns=self.columns)


def add_create(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that makes one.

    Args:
        group: the resource's.
        resource: what is made.
        example: the help's.
        about: the help's text.
    """
    own = (*resource.fields, *resource.only_new)

    @with_action_options
    @click.pass_obj
    def create(invocation: Invocation, /, *, options: ActionOptions, **given: Any) -> None:
        said, paths, settable = typed(own, given), PathChanges.of(given), resource.settable
        fields = changed(resource.name, {}, said, paths, settable=settable)
        resource.act(invocation, options, lambda kept: kept.create(**fields))

    create.__doc__ = f"{about}\n\n{_STDOUT}"
    _command(
        group,
        "create",
        example,
        _with(own, resource, shared_options.field_values(create, eg=resource.eg)),
    )


def add_update(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that changes fields of one; as for ``add_create``."""

    @with_action_options
    @click.pass_obj
    def update(
        invocation: Invocation, /, *, reference: str, options: ActionOptions, **given: Any
    ) -> None:
        said, paths = typed(resource.fields, given), PathChanges.of(given)
        if not said and not paths.touched:
            raise click.UsageError("Nothing to change was given: an option, --set or --unset.")
        settable = resource.settable

        def edited(kept: Any) -> Snapshot:
            before = kept.get(reference)
            fields = changed(resource.name, before.document(), said, paths, settable=settable)
            return cast("Snapshot", kept.update(before, **fields))

        resource.act(invocation, options, edited)

    update.__doc__ = (
        f"{about}\n\nA path changes what it leads to only, and keeps the rest of that value; an "
        "option for a list replaces the list. Options come first, then --set, --set-json and "
        f"--unset. {_STDOUT}"
    )
    paths = shared_options.field_changes(update, eg=resource.eg)
    command = _with(resource.fields, resource, paths)
    _command(group, "update", example, resource.argument(command))


def add_show(group: Group, resource: Resource, *, example: str) -> None:
    """Add the command that shows one."""

    @shared_options.product
    @click.pass_obj
    def show(invocation: Invocation, *, reference: str, product: str | None) -> None:
        with open_leanbe(invocation) as leanbe:
            document = resource.of(select_product(leanbe, product)).get(reference).document()
        output.print_document(invocation.output_format, document, columns=_all_columns(resource))

    show.__doc__ = (
        f"Show one {resource.noun}, named by {resource.by}.\n\n"
        "--output json prints the very document that a webhook would carry."
    )
    _command(group, "show", example, resource.argument(show))


def add_delete(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that deletes one; as for ``add_create``."""

    @with_action_options
    @click.pass_obj
    def delete(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
        def deleted(kept: Any) -> Snapshot:
            last = kept.get(reference)
            kept.delete(last)
            return cast("Snapshot", last)

        resource.act(invocation, options, deleted)

    delete.__doc__ = f"{about}\n\nPrints the document as it last was."
    _command(group, "delete", example, resource.argument(delete))


def add_list(
    group: Group, resource: Resource, *, example: str, filters: Sequence[Callable[[Any], Any]]
) -> None:
    """Add the command that lists them.

    Args:
        group: the resource's.
        resource: what is listed.
        example: the help's.
        filters: options whose names are the library's filters; None is no filter.
    """

    @shared_options.product
    @click.option("--limit", type=click.IntRange(min=1), default=_PAGE, show_default=True)
    @shared_options.after
    @click.pass_obj
    def list_(invocation: Invocation, /, *, product: str | None, **wanted: Any) -> None:
        with open_leanbe(invocation) as leanbe:
            page = resource.of(select_product(leanbe, product)).list(**wanted)
            documents = [each.document() for each in page]
        invocation.print_page(documents, page.cursor, resource.columns)

    list_.__doc__ = (
        f"List {resource.noun}s, the oldest first.\n\nWhere there are more, the cursor for "
        '--after is told on stderr; --output json prints {"items": [...], "cursor": ...}.'
    )
    command: Callable[..., Any] = list_
    for add in reversed(filters):
        command = add(command)
    _command(group, "list", example, command)


def _with(own: Sequence[FieldOption], resource: Resource, command: F) -> F:
    """Return the command with the options of these fields."""
    shape = document_shape(resource.name)
    for option in reversed(own):
        command = option.added_to(command, shape)
    return command


def _command(group: Group, name: str, example: str, command: Callable[..., Any]) -> None:
    subcommand(group, name, example=example)(command)


def _all_columns(resource: Resource) -> Sequence[Column]:
    """Return the resource's columns, then every other field: a person sees what is filled."""
    shown = {column.title for column in resource.columns} | {"_id"}
    rest = [each.name for each in document_shape(resource.name).fields if each.name not in shown]
    return [*resource.columns, *(output.column(name) for name in rest)]


def text_filter(name: str, words: str, *, metavar: str = "TEXT") -> Callable[[F], F]:
    """Return the filter by a text: an option of its name."""
    return click.option(f"--{name}", metavar=metavar, help=words)


def user_filter(name: str) -> Callable[[F], F]:
    """Return the filter by a user."""
    return text_filter(name, "E-mail or id of a user.", metavar="U")


def flag_filter(name: str, words: str) -> Callable[[F], F]:
    """Return the filter by a flag; without it, both kinds are listed."""
    return click.option(f"--{name}/--no-{name}", default=None, help=words)

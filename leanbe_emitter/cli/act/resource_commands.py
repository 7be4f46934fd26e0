"""The commands that the six resources share: create, update, show, list, delete, simple verbs.

A group describes its resource (``Resource``: options, filters, columns), and these functions make
the commands from that. A verb with arguments of its own is a command like any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from leanbe_emitter.cli.act.action import ActionOptions, Snapshot, run_action, with_action_options
from leanbe_emitter.cli.act.field_options import (
    FieldOption,
    PathChanges,
    add_filter,
    changed,
    typed,
)
from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import Group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe, select_product
from leanbe_emitter.cli.invocation.output import Column
from leanbe_emitter.wire.payloads.event_payloads import document_shape

if TYPE_CHECKING:
    from leanbe_emitter.library import Product

F = TypeVar("F", bound=Callable[..., Any])

#: The default length of a page of documents.
_PAGE = 50

_STDOUT = (
    "Prints the document as the webhook carries it (--output json), and each attempt: on a "
    "terminal below the document, else on stderr."
)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of document on the command line.

    Attributes:
        name: one of ``wire.payloads.resources.RESOURCES``.
        noun: in words: ``idea request``.
        collection: the product's attribute in the library: ``idea_requests``.
        columns: the columns of a table and of ``plain``.
        fields: the options of ``create`` and ``update``.
        filters: the options of ``list``, by the library's names.
        only_new: further options of ``create``.
        eg: examples of ``--set`` and of ``--set-json``.
        by: what names one document, in words.
    """

    name: str
    noun: str
    collection: str
    columns: Sequence[Column]
    fields: Sequence[FieldOption]
    eg: tuple[str, str]
    filters: Sequence[str] = ()
    only_new: Sequence[FieldOption] = ()
    by: str = "its id, or six digits of either end of it"

    @property
    def metavar(self) -> str:
        """The name of the argument in help texts."""
        return self.noun.upper().replace(" ", "-")

    def of(self, product: "Product") -> Any:
        """Return the product's collection of these documents."""
        return getattr(product, self.collection)

    @property
    def settable(self) -> Sequence[str]:
        """The fields that can be set, by the document's names."""
        rules = import_module(f"leanbe_emitter.domain.{self.collection}")
        return cast("Sequence[str]", rules.SETTABLE)

    def argument(self, command: F) -> F:
        """Add the argument that names one document; the command gets it as ``reference``."""
        return click.argument("reference", metavar=self.metavar)(command)

    def act(
        self, invocation: Invocation, options: ActionOptions, action: Callable[[Any], Snapshot]
    ) -> None:
        """Run an action on the product's collection; see ``action.run_action``."""
        run_action(
            invocation, options, lambda product: action(self.of(product)), columns=self.columns
        )


def add_create(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that creates a document.

    Args:
        group: the resource's group.
        resource: the resource.
        example: the example in the help.
        about: the first line of the help.
    """
    own = (*resource.fields, *resource.only_new)

    @with_action_options
    @click.pass_obj
    def create(invocation: Invocation, /, *, options: ActionOptions, **given: Any) -> None:
        values, paths, settable = typed(own, given), PathChanges.of(given), resource.settable
        fields = changed(resource.name, {}, values, paths, settable=settable)
        resource.act(invocation, options, lambda collection: collection.create(**fields))

    create.__doc__ = f"{about}\n\n{_STDOUT}"
    _command(
        group,
        "create",
        example,
        _with(own, resource, shared_options.field_values(create, eg=resource.eg)),
    )


def add_update(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that changes fields of a document; arguments as for ``add_create``."""

    @with_action_options
    @click.pass_obj
    def update(
        invocation: Invocation, /, *, reference: str, options: ActionOptions, **given: Any
    ) -> None:
        values, paths = typed(resource.fields, given), PathChanges.of(given)
        if not values and not paths.touched:
            raise click.UsageError("There is nothing to change: give an option, --set or --unset.")
        settable = resource.settable

        def edited(collection: Any) -> Snapshot:
            before = collection.get(reference)
            fields = changed(resource.name, before.document(), values, paths, settable=settable)
            return cast("Snapshot", collection.update(before, **fields))

        resource.act(invocation, options, edited)

    update.__doc__ = (
        f"{about}\n\nA path changes only the value at its end. An option for a list replaces the "
        "whole list. Options apply first, then --set, --set-json and --unset. "
        f"{_STDOUT}"
    )
    paths = shared_options.field_changes(update, eg=resource.eg)
    command = _with(resource.fields, resource, paths)
    _command(group, "update", example, resource.argument(command))


def add_show(group: Group, resource: Resource, *, example: str) -> None:
    """Add the command that shows a document."""

    @shared_options.product
    @click.pass_obj
    def show(invocation: Invocation, *, reference: str, product: str | None) -> None:
        with open_leanbe(invocation) as leanbe:
            document = resource.of(select_product(leanbe, product)).get(reference).document()
        output.print_document(invocation.output_format, document, columns=_all_columns(resource))

    show.__doc__ = (
        f"Show one {resource.noun}, named by {resource.by}.\n\n"
        "--output json prints the same document that a webhook carries."
    )
    _command(group, "show", example, resource.argument(show))


def add_delete(group: Group, resource: Resource, *, example: str, about: str) -> None:
    """Add the command that deletes a document; arguments as for ``add_create``."""

    @with_action_options
    @click.pass_obj
    def delete(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
        def deleted(collection: Any) -> Snapshot:
            last = collection.get(reference)
            collection.delete(last)
            return cast("Snapshot", last)

        resource.act(invocation, options, deleted)

    delete.__doc__ = f"{about}\n\nPrints the last state of the document."
    _command(group, "delete", example, resource.argument(delete))


def add_verb(group: Group, resource: Resource, verb: str, *, example: str, about: str) -> None:
    """Add a command that calls a method of the library with nothing but the document.

    Args:
        group: the resource's group.
        resource: the resource.
        verb: the name of the command and of the method.
        example: the example in the help.
        about: the help text.
    """

    @with_action_options
    @click.pass_obj
    def act(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
        resource.act(invocation, options, lambda collection: getattr(collection, verb)(reference))

    act.__doc__ = about
    _command(group, verb, example, resource.argument(act))


def add_list(group: Group, resource: Resource, *, example: str) -> None:
    """Add the command that lists documents, narrowed by the resource's filters."""

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
        f"List {resource.noun}s, the oldest first.\n\nIf there are more, stderr shows the cursor "
        'for --after. --output json prints {"items": [...], "cursor": ...}.'
    )
    command: Callable[..., Any] = list_
    for name in reversed(resource.filters):
        command = add_filter(command, document_shape(resource.name), name)
    _command(group, "list", example, command)


def _with(own: Sequence[FieldOption], resource: Resource, command: F) -> F:
    """Add the options of these fields."""
    shape = document_shape(resource.name)
    for option in reversed(own):
        command = option.added_to(command, shape)
    return command


def _command(group: Group, name: str, example: str, command: Callable[..., Any]) -> None:
    subcommand(group, name, example=example)(command)


def _all_columns(resource: Resource) -> Sequence[Column]:
    """Return the resource's columns, then every other field of the document."""
    shown = {column.title for column in resource.columns} | {"_id"}
    rest = [each.name for each in document_shape(resource.name).fields if each.name not in shown]
    return [*resource.columns, *(output.column(name) for name in rest)]

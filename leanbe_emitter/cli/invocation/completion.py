"""Words that a shell completes from the database, and from the words before the cursor.

Completion says nothing but the candidates. Without a database there are none, and none is created.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from leanbe_emitter.cli.invocation.invocation import Invocation, database_exists, select_product
from leanbe_emitter.cli.invocation.output import ID_ENDING
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS
from leanbe_emitter.wire.event_names import EVENT_NAMES

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe
    from leanbe_emitter.wire.faults.catalogue import FaultKind

#: A candidate, and what it means.
Candidate = tuple[str, str]
#: click's function for the parameter ``shell_complete``.
Completer = Callable[
    [click.Context, click.Parameter, str],
    "list[CompletionItem[str]]",  # click 8.1's class takes no type argument
]


def completer(candidates: Callable[[click.Context], Iterable[Candidate]]) -> Completer:
    """Return what click asks for the completions of one parameter.

    Args:
        candidates: returns all candidates; those that begin otherwise are left out.
    """

    def complete(
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG001 - click's signature
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        with suppress(LeanbeError):
            return [
                CompletionItem(value, help=meaning)
                for value, meaning in candidates(ctx)
                if value.startswith(incomplete)
            ]
        return []

    return complete


def from_database(
    candidates: "Callable[[Leanbe, click.Context], Iterable[Candidate]]",
) -> Completer:
    """Return a completer that looks into the database, if there is one."""

    def found(ctx: click.Context) -> list[Candidate]:
        invocation = ctx.ensure_object(Invocation)
        if not database_exists(invocation.settings().db):
            return []
        with invocation.open_leanbe() as leanbe:
            return list(candidates(leanbe, ctx))

    return completer(found)


def documents(collection: str) -> Completer:
    """Return the completer of a product's documents, by e-mail or by the end of the id.

    Args:
        collection: the product's attribute in the library: ``idea_requests``.
    """

    def listed(leanbe: "Leanbe", ctx: click.Context) -> Iterator[Candidate]:
        product = select_product(leanbe, ctx.params.get("product"))
        for each in getattr(product, collection).list():
            document = each.document()
            words = str(document.get("title") or document.get("firstName") or "")
            yield document.get("email") or _ending(each.id), words

    return from_database(listed)


def _ending(identifier: str) -> str:
    return identifier[-ID_ENDING:]


def _products(leanbe: "Leanbe", _: click.Context) -> Iterator[Candidate]:
    for each in leanbe.products.list():
        # A shell would take a name of several words for several names.
        is_word = len(each.name.split()) == 1
        yield (each.name, each.id) if is_word else (_ending(each.id), each.name)


def _deliveries(leanbe: "Leanbe", _: click.Context) -> Iterator[Candidate]:
    for each in leanbe.deliveries.list():
        yield _ending(each.id), f"{each.event.name} {each.status}"


def _events(leanbe: "Leanbe", _: click.Context) -> Iterator[Candidate]:
    for each in leanbe.events.list():
        yield _ending(each.id), each.name


def _words(ctx: click.Context, *names: str) -> tuple[str, ...]:
    """Return the words of arguments that stand before the cursor.

    click leaves arguments unassigned where the word before the cursor is an option.
    """
    for name in names:
        if value := ctx.params.get(name):
            return (value,) if isinstance(value, str) else tuple(value)
    return tuple(ctx.args)


def _paths(ctx: click.Context, *, end: str) -> Iterator[Candidate]:
    from leanbe_emitter.wire.payloads.payload_paths import paths  # noqa: PLC0415 - a quick start

    for event in _words(ctx, "events", "event"):
        if event in EVENT_NAMES:
            yield from ((f"{path}{end}", event) for path in paths(event))


def _values(ctx: click.Context) -> Iterator[Candidate]:
    (name, *_) = _words(ctx, "name") or ("",)
    yield from (each for each in _assignments(ctx) if each[0].startswith(f"{name}="))


def _assignments(_: click.Context) -> Iterator[Candidate]:
    for each in ASSUMPTIONS:
        for value in (each.values or (each.default,)) if each.name else ():
            yield f"{each.name}={value}", each.accepts


def _ways(ctx: click.Context) -> Iterator[Candidate]:
    from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS  # noqa: PLC0415 - a quick start

    named = {each.partition(":")[0] for word in _words(ctx, "kind") for each in word.split("+")}
    for kind in FAULT_KINDS:
        if kind.name in named:
            yield from ((_way(kind, how), meaning) for how, meaning in kind.how.items())


def _way(kind: "FaultKind", how: str) -> str:
    """Return a variant as it can be typed."""
    from leanbe_emitter.wire.faults.catalogue import DURATION, STATUS  # noqa: PLC0415 - the same

    return {DURATION: kind.default, STATUS: "status:503"}.get(how, how)


PRODUCTS = from_database(_products)
DELIVERIES = from_database(_deliveries)
EVENTS = from_database(_events)
PATHS_TO_SET = completer(lambda ctx: _paths(ctx, end="="))
PATHS_TO_UNSET = completer(lambda ctx: _paths(ctx, end=""))
ASSIGNMENTS = completer(_assignments)
ASSUMPTION_VALUES = completer(
    lambda ctx: ((text.partition("=")[2], meaning) for text, meaning in _values(ctx))
)
FAULT_WAYS = completer(_ways)

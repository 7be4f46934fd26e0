"""The library's typed signatures agree with the declarations of the resources."""

import inspect

import pytest

from leanbe_emitter.library.documents.documents_handle import COLLECTIONS
from leanbe_emitter.wire.payloads.declarations import DECLARATIONS, Declaration, Input, snake_case
from leanbe_emitter.wire.payloads.event_payloads import RESOURCES

each_resource = pytest.mark.parametrize("resource", DECLARATIONS, ids=lambda each: each.collection)

#: What every list takes besides its filters.
PAGING = {"limit", "after", "order", "q"}
#: The methods that every resource has, or that a fixed one lacks.
COMMON = {"create", "get", "list"}
CHANGING = {"update", "delete"}
#: Further lists that a resource's documents have.
LISTS = {"ideas": {"votes"}}


def keywords(resource: Declaration, method: str) -> dict[str, bool]:
    """Return the keywords of a method, each with whether it is required."""
    signature = inspect.signature(getattr(COLLECTIONS[resource.collection], method))
    return {
        name: each.default is each.empty
        for name, each in signature.parameters.items()
        if name not in {"self", "reference"} and each.kind is not each.VAR_KEYWORD
    }


def arguments(declared: Input) -> dict[str, bool]:
    """Return the declared arguments by the library's names."""
    return {snake_case(each.name): each.is_required for each in declared.arguments}


def test_every_resource_is_declared_once() -> None:
    assert {each.name for each in DECLARATIONS} == set(RESOURCES)
    assert [each.collection for each in DECLARATIONS] == list(COLLECTIONS)


@each_resource
def test_lists_take_the_declared_filters_in_their_order(resource: Declaration) -> None:
    declared = [each.name for each in resource.filters]
    assert [each for each in keywords(resource, "list") if each not in PAGING] == declared


@each_resource
def test_every_declared_verb_is_a_method_and_there_is_no_other(resource: Declaration) -> None:
    public = {name for name in dir(COLLECTIONS[resource.collection]) if not name.startswith("_")}
    common = COMMON if resource.is_fixed else COMMON | CHANGING
    lists = LISTS.get(resource.collection, set())
    assert public == common | lists | {each.method for each in resource.verbs}


@each_resource
def test_methods_take_the_declared_arguments(resource: Declaration) -> None:
    assert keywords(resource, "create") == arguments(resource.only_new)
    for verb in resource.verbs:
        assert keywords(resource, verb.method) == arguments(verb.input), verb.name

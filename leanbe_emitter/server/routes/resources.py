"""The documents of a product: six resources, each of them a description, and their operations.

A body has the documents' own names. What a field's value may be, the library says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from leanbe_emitter.domain.document_values import column_of
from leanbe_emitter.domain.validation import unknown_field
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.library.documents.resources import Resource as Documents
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.parsing import PAGING, Fields, Parameter, Queried, check
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import documents, setup
from leanbe_emitter.server.schemas.json_schema import Schema, object_of
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Verb:
    """What can be done with one document, besides changing and deleting it.

    Attributes:
        name: as the path has it.
        meaning: what it does, in a sentence.
        method: the library's name for it; by default the path's.
        members: what is given with it, by the documents' names.
        needed: those of them that have to be there.
        eg: an example of them.
    """

    name: str
    meaning: str
    method: str = ""
    members: Mapping[str, Schema] = field(default_factory=dict)
    needed: Sequence[str] = ()
    eg: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A kind of document, as the API has it.

    Attributes:
        name: one of ``wire.payloads.RESOURCES``.
        kind: the library's way to all of a product's.
        path: what stands for them.
        noun: one of them, in words.
        settable: the fields that may be set.
        needed: those of them that a new one has to have.
        eg: an example of a new one.
        filters: what a list can be narrowed down by.
        verbs: what else can be done with one.
        only_new: what else can be given for a new one.
        is_fixed: whether it can be neither changed nor deleted.
        locks_others: whether what is done with one may lock further products.
    """

    name: str
    kind: type[Documents[Any, Any]]
    path: str
    noun: str
    settable: Sequence[str]
    needed: Sequence[str]
    eg: Mapping[str, JSON]
    filters: Sequence[Parameter]
    verbs: Sequence[Verb]
    only_new: Mapping[str, Schema] = field(default_factory=dict)
    is_fixed: bool = False
    locks_others: bool = False

    def of(self, leanbe: Leanbe, product: str) -> Any:
        """Return the way to all of a product's."""
        return leanbe.products.documents(self.kind, product)

    def schema_of_new(self) -> dict[str, Any]:
        """Return the schema of what makes one."""
        schema = documents.settable(self.name, self.settable, needed=self.needed)
        return {**schema, "properties": {**schema["properties"], **self.only_new}}


def add(app: FastAPI, leanbe: Leanbe, resource: Resource, *, part: str) -> None:
    """Add the operations of one resource."""
    routes = Routes(app, leanbe, part, locks_others=resource.locks_others)
    document = documents.document(resource.name)
    path = f"/products/{{product}}/{resource.path}"
    _add_create(routes, leanbe, resource, path=path, document=document)
    _add_list(routes, leanbe, resource, path=path, document=document)
    _add_show(routes, leanbe, resource, path=path, document=document)
    if not resource.is_fixed:
        _add_update(routes, leanbe, resource, path=path, document=document)
        _add_delete(routes, leanbe, resource, path=path)
    for verb in resource.verbs:
        _add_verb(routes, leanbe, resource, verb, path=path, document=document)


def _add_create(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    body = Fields(resource.schema_of_new(), eg=resource.eg)
    names = [*resource.settable, *resource.only_new]
    only_new = object_of(resource.only_new, optional=tuple(resource.only_new))

    def create(product: str, given: Annotated[dict[str, JSON], Depends(body)]) -> Response:
        fields = _named(given, names)
        if new := {name: given[name] for name in resource.only_new if name in given}:
            check(new, only_new)
        made = resource.of(leanbe, product).create(**fields)
        return responses.one(made, status=201)

    create.__doc__ = f"Make {_a(resource.noun)}; answers with its document."
    routes.act("POST", path, gives=document, status=201)(create)


def _add_list(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    query = Queried(*resource.filters, *PAGING)

    def list_(product: str, asked: Annotated[dict[str, Any], Depends(query)]) -> Response:
        page = resource.of(leanbe, product).list(**asked)
        return responses.page(page, cursor=page.cursor)

    list_.__doc__ = f"List {resource.noun}s, the oldest first."
    routes.read(path, gives=setup.page(document))(list_)


def _add_show(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    def show(product: str, reference: str) -> Response:
        return responses.one(resource.of(leanbe, product).get(reference))

    show.__doc__ = f"Show one {resource.noun}: the very text that a webhook would carry."
    routes.read(f"{path}/{{reference}}", gives=document)(show)


def _add_update(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    body = Fields(documents.settable(resource.name, resource.settable), eg=resource.eg)

    def update(
        product: str, reference: str, given: Annotated[dict[str, JSON], Depends(body)]
    ) -> Response:
        fields = _named(given, resource.settable)
        if not fields:
            raise InvalidValue("Nothing to change was given.", hint="Give a field to set.")
        return responses.one(resource.of(leanbe, product).update(reference, **fields))

    update.__doc__ = f"Change fields of {_a(resource.noun)}; null takes an optional one away."
    routes.act("PATCH", f"{path}/{{reference}}", gives=document)(update)


def _add_delete(routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str) -> None:
    def delete(product: str, reference: str) -> Response:
        resource.of(leanbe, product).delete(reference)
        return responses.nothing()

    delete.__doc__ = f"Delete {_a(resource.noun)}."
    routes.act("DELETE", f"{path}/{{reference}}", gives=None)(delete)


def _add_verb(  # noqa: PLR0913 - a verb of a resource
    routes: Routes, leanbe: Leanbe, resource: Resource, verb: Verb, *, path: str, document: Schema
) -> None:
    optional = tuple(name for name in verb.members if name not in verb.needed)
    schema = object_of(verb.members, optional=optional)
    body = Fields(schema, is_required=bool(verb.needed), eg=verb.eg)
    name = verb.method or verb.name.replace("-", "_")

    def act(
        product: str, reference: str, given: Annotated[dict[str, JSON], Depends(body)]
    ) -> Response:
        fields = _named(given, list(verb.members))
        check(given, schema)
        do = getattr(resource.of(leanbe, product), name)
        return responses.one(do(reference, **fields))

    act.__doc__ = verb.meaning
    routes.act("POST", f"{path}/{{reference}}/{verb.name}", gives=document)(act)


def _named(given: Mapping[str, JSON], names: Sequence[str]) -> dict[str, JSON]:
    """Return fields by the library's names.

    Raises:
        InvalidValue: there is no such field; the hint names the nearest.
    """
    for name in given:
        if name not in names:
            raise unknown_field(name, names)
    return {column_of(name): value for name, value in given.items()}


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0].lower() in "aeio" else f"a {noun}"

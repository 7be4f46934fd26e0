"""Operations on a product's documents: the same ones for each of the six resources.

``routes.documents`` describes the resources. A body has the documents' own names; the library
checks the values of fields.
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
from leanbe_emitter.server.http.query_parameters import PAGING, Query, QueryParameter
from leanbe_emitter.server.http.request_body import ModelBody, ObjectBody, validated
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import documents, setup
from leanbe_emitter.server.schemas.json_schema import Schema
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.stringify import JSON


class NoMembers(StrictModel):
    """An empty object."""


@dataclass(frozen=True, kw_only=True)
class Verb:
    """An operation on one document besides update and delete.

    Attributes:
        name: its name in the path.
        summary: its summary in the OpenAPI document.
        method: the library's name for it; by default the same.
        body: the model of its body.
        is_body_required: whether a request needs a body.
        example: an example of the body.
    """

    name: str
    summary: str
    method: str = ""
    body: type[StrictModel] = NoMembers
    is_body_required: bool = False
    example: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A kind of document in the API.

    Attributes:
        name: one of ``wire.payloads.RESOURCES``.
        documents: the library's class for all documents of a product.
        path: their path below the product's.
        noun: the word for one of them.
        settable: names of the fields that a request can set.
        required: names of the fields that a new document needs.
        example: an example of a new document.
        filters: the list's filters.
        verbs: further operations on one document.
        only_new: the model of further members of the body that creates one.
        is_fixed: whether it can be neither changed nor deleted.
        locks_others: whether a write may lock further products.
    """

    name: str
    documents: type[Documents[Any, Any]]
    path: str
    noun: str
    settable: Sequence[str]
    required: Sequence[str]
    example: Mapping[str, JSON]
    filters: Sequence[QueryParameter]
    verbs: Sequence[Verb]
    only_new: type[StrictModel] = NoMembers
    is_fixed: bool = False
    locks_others: bool = False

    def of(self, leanbe: Leanbe, product: str) -> Any:
        """Return the library's object for a product's documents of this kind."""
        return leanbe.products.documents(self.documents, product)

    def schema_of_new(self) -> dict[str, Any]:
        """Return the schema of the body that creates one."""
        schema = documents.settable(self.name, self.settable, required=self.required)
        only_new = self.only_new.model_json_schema()["properties"]
        return {**schema, "properties": {**schema["properties"], **only_new}}


def add_resource(app: FastAPI, leanbe: Leanbe, resource: Resource, *, tag: str) -> None:
    """Add the operations of one resource."""
    routes = Routes(app, leanbe, tag, locks_others=resource.locks_others)
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
    new = ObjectBody(resource.schema_of_new(), example=resource.example)
    only_new = list(resource.only_new.model_fields)
    names = [*resource.settable, *only_new]

    def create(product: str, body: Annotated[dict[str, JSON], Depends(new)]) -> Response:
        fields = _keywords(body, names)
        if further := {name: body[name] for name in only_new if name in body}:
            validated(further, resource.only_new)
        created = resource.of(leanbe, product).create(**fields)
        return responses.one(created, status=201)

    create.__doc__ = f"Create {_a(resource.noun)}; the response has its document."
    routes.write_grouped("POST", path, returns=document, status=201)(create)


def _add_list(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    filters = Query(*resource.filters, *PAGING)

    def list_(product: str, query: Annotated[dict[str, Any], Depends(filters)]) -> Response:
        page = resource.of(leanbe, product).list(**query)
        return responses.page(page, cursor=page.cursor)

    list_.__doc__ = f"List {resource.noun}s, the oldest first."
    routes.read(path, returns=setup.page(document))(list_)


def _add_show(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    def show(product: str, reference: str) -> Response:
        return responses.one(resource.of(leanbe, product).get(reference))

    show.__doc__ = f"Show {_a(resource.noun)}: the exact text that a webhook would carry."
    routes.read(f"{path}/{{reference}}", returns=document)(show)


def _add_update(
    routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str, document: Schema
) -> None:
    changes = ObjectBody(
        documents.settable(resource.name, resource.settable), example=resource.example
    )

    def update(
        product: str, reference: str, body: Annotated[dict[str, JSON], Depends(changes)]
    ) -> Response:
        fields = _keywords(body, resource.settable)
        if not fields:
            raise InvalidValue("Nothing to change was given.", hint="Give a field to set.")
        return responses.one(resource.of(leanbe, product).update(reference, **fields))

    update.__doc__ = f"Change fields of {_a(resource.noun)}; null removes an optional value."
    routes.write_grouped("PATCH", f"{path}/{{reference}}", returns=document)(update)


def _add_delete(routes: Routes, leanbe: Leanbe, resource: Resource, *, path: str) -> None:
    def delete(product: str, reference: str) -> Response:
        resource.of(leanbe, product).delete(reference)
        return responses.no_content()

    delete.__doc__ = f"Delete {_a(resource.noun)}."
    routes.write_grouped("DELETE", f"{path}/{{reference}}", returns=None)(delete)


def _add_verb(  # noqa: PLR0913 - a verb of a resource
    routes: Routes, leanbe: Leanbe, resource: Resource, verb: Verb, *, path: str, document: Schema
) -> None:
    model = ModelBody(verb.body, is_required=verb.is_body_required, example=verb.example)
    method = verb.method or verb.name.replace("-", "_")

    def act(product: str, reference: str, body: Annotated[StrictModel, Depends(model)]) -> Response:
        call = getattr(resource.of(leanbe, product), method)
        return responses.one(call(reference, **body.model_dump(exclude_unset=True)))

    act.__doc__ = verb.summary
    routes.write_grouped("POST", f"{path}/{{reference}}/{verb.name}", returns=document)(act)


def _keywords(body: Mapping[str, JSON], names: Sequence[str]) -> dict[str, JSON]:
    """Return the members of a body by the library's keywords.

    Raises:
        InvalidValue: a field is unknown; the hint has the nearest name.
    """
    for name in body:
        if name not in names:
            raise unknown_field(name, names)
    return {column_of(name): value for name, value in body.items()}


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0].lower() in "aeio" else f"a {noun}"

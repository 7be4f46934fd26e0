"""Operations on a product's documents: the same ones for each of the six resources.

``wire.payloads.declarations`` says what they are. A body has the documents' own names; the library
checks the values of fields.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema, create_model
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.domain.validation import unknown_field
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.library.runtime.paging import ORDERS
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.query_parameters import (
    PAGING,
    Query,
    QueryParameter,
    boolean_parameter,
    choice_parameter,
)
from leanbe_emitter.server.http.request_body import ModelBody, ObjectBody, validated
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import documents, setup
from leanbe_emitter.server.schemas.json_schema import enum, string
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.payloads import shapes
from leanbe_emitter.wire.payloads.declarations import (
    CUSTOMER,
    DECLARATIONS,
    IDEA,
    IDEA_REQUEST,
    Argument,
    Declaration,
    Filter,
    Input,
    Verb,
    snake_case,
)
from leanbe_emitter.wire.stringify import JSON

#: Resources whose writes may lock further products: a request may create a customer, or change one
#: who belongs to further products.
_LOCKING_OTHERS = (CUSTOMER, IDEA_REQUEST)
#: The order of a list, and a text in what it lists.
_ORDER: Final = (
    choice_parameter("order", ORDERS, "Which document comes first.", default=ORDERS[0]),
    QueryParameter(
        name="q",
        schema=string(
            "mode",
            "Text in the title, or in a customer's name or e-mail; in any letter case.",
            minLength=1,
            maxLength=200,
        ),
    ),
)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations of all six resources."""
    for resource in DECLARATIONS:
        tag = f"{resource.plural[0].upper()}{resource.plural[1:]}"
        routes = Routes(app, leanbe, tag, locks_others=resource in _LOCKING_OTHERS)
        operations = _Operations(leanbe, routes, resource)
        operations.add_create()
        operations.add_list()
        operations.add_show()
        if not resource.is_fixed:
            operations.add_update()
            operations.add_delete()
        for verb in resource.verbs:
            operations.add_verb(verb)
        if resource is IDEA:
            operations.add_votes()


class _Operations:
    """Adds the operations of one resource."""

    def __init__(self, leanbe: Leanbe, routes: Routes, resource: Declaration) -> None:
        self._leanbe = leanbe
        self._routes = routes
        self._resource = resource
        self._collection = resource.collection
        self._document = documents.document(resource.name)
        self._path = f"/products/{{product}}/{resource.path}"
        self._a_noun = f"{'an' if resource.noun[0].lower() in 'aeio' else 'a'} {resource.noun}"

    def add_create(self) -> None:
        resource = self._resource
        only_new = _model(resource.only_new)
        schema = documents.settable(resource, is_new=True)
        schema["properties"].update(only_new.model_json_schema()["properties"])
        new = ObjectBody(schema, example=resource.example)
        further = [each.name for each in resource.only_new.arguments]

        def create(product: str, body: Annotated[dict[str, JSON], new]) -> Response:
            fields = _keywords(body, [*resource.settable, *further])
            if members := {name: body[name] for name in further if name in body}:
                validated(members, only_new)
            return responses.one(self._of(product).create(**fields), status=201)

        create.__doc__ = f"Create {self._a_noun}; the response has its document."
        self._routes.write_grouped("POST", self._path, returns=self._document, status=201)(create)

    def add_list(self) -> None:
        own = (_parameter(self._resource, each) for each in self._resource.filters)
        filters = Query(*own, *_ORDER, *PAGING)

        def list_(product: str, query: Annotated[dict[str, Any], filters]) -> Response:
            page = self._of(product).list(**query)
            return responses.page(page, cursor=page.cursor)

        list_.__doc__ = f"List {self._resource.plural}, the oldest first, or the newest."
        self._routes.read_list(self._path, returns=setup.page(self._document))(list_)

    def add_show(self) -> None:
        def show(product: str, reference: str) -> Response:
            return responses.one(self._of(product).get(reference))

        show.__doc__ = f"Show {self._a_noun}: the exact text that a webhook would carry."
        self._routes.read(f"{self._path}/{{reference}}", returns=self._document)(show)

    def add_update(self) -> None:
        resource = self._resource
        schema = documents.settable(resource, is_new=False)
        changes = ObjectBody(schema, example=resource.example)

        def update(
            product: str, reference: str, body: Annotated[dict[str, JSON], changes]
        ) -> Response:
            fields = _keywords(body, resource.settable)
            if not fields:
                raise InvalidValue("Nothing to change was given.", hint="Give a field to set.")
            return responses.one(self._of(product).update(reference, **fields))

        update.__doc__ = f"Change fields of {self._a_noun}; null removes an optional value."
        path = f"{self._path}/{{reference}}"
        self._routes.write_grouped("PATCH", path, returns=self._document)(update)

    def add_delete(self) -> None:
        def delete(product: str, reference: str) -> Response:
            self._of(product).delete(reference)
            return responses.no_content()

        delete.__doc__ = f"Delete {self._a_noun}."
        self._routes.write_grouped("DELETE", f"{self._path}/{{reference}}", returns=None)(delete)

    def add_verb(self, verb: Verb) -> None:
        name = verb.method
        example = {each.name: each.example for each in verb.input.arguments}
        model = ModelBody(_model(verb.input), is_required=verb.input.is_required, example=example)

        def act(product: str, reference: str, body: Annotated[StrictModel, model]) -> Response:
            method = getattr(self._of(product), name)
            return responses.one(method(reference, **body.model_dump(exclude_unset=True)))

        act.__doc__ = verb.about
        path = f"{self._path}/{{reference}}/{verb.path or verb.name}"
        self._routes.write_grouped("POST", path, returns=self._document)(act)

    def add_votes(self) -> None:
        query_of_page = Query(*PAGING)

        def votes(
            product: str, reference: str, query: Annotated[dict[str, Any], query_of_page]
        ) -> Response:
            page = self._of(product).votes(reference, **query)
            return responses.page(page, cursor=page.cursor)

        votes.__doc__ = "List the votes for and against an idea, the oldest first."
        path = f"{self._path}/{{reference}}/votes"
        self._routes.read_list(path, returns=setup.page(documents.VOTE))(votes)

    def _of(self, product: str) -> Any:
        """Return the library's object for a product's documents of this kind."""
        return self._leanbe.products.documents(self._collection, product)


def _parameter(resource: Declaration, each: Filter) -> QueryParameter:
    field = resource.filtered(each.name)
    match None if field is None else field.shape:
        case shapes.Boolean():
            return boolean_parameter(each.name, each.meaning)
        case shapes.Text(choices=choices) if choices:
            schema = enum(choices, each.meaning)
        case _:
            schema = string(each.example, each.meaning)
    return QueryParameter(name=each.name, schema=schema)


def _model(given: Input) -> type[StrictModel]:
    """Return the model of a verb's body."""
    members: dict[str, Any] = {snake_case(each.name): _member(each) for each in given.arguments}
    return create_model(given.name, __base__=StrictModel, __doc__=given.meaning, **members)


def _member(argument: Argument) -> tuple[Any, Any]:
    """Return the type and the field of an argument, which may be missing, but not null."""
    default: Any = {} if argument.is_required else {"default_factory": type(argument.example)}
    match argument.example:
        case str():
            schema = string(argument.example, argument.meaning)
            return Annotated[str, WithJsonSchema(schema)], Field(**default)
        case list():
            return list[str], Field(description=argument.meaning, **default)
        case _:
            # The library checks that it is a number.
            schema = {"type": "number", "description": argument.meaning}
            return Annotated[Any, WithJsonSchema(schema)], Field(**default)


def _keywords(body: Mapping[str, JSON], names: Sequence[str]) -> dict[str, JSON]:
    """Return the members of a body by the library's keywords.

    Raises:
        InvalidValue: a field is unknown; the hint has the nearest name.
    """
    for name in body:
        if name not in names:
            raise unknown_field(name, names)
    return {snake_case(name): value for name, value in body.items()}

"""Model of Leanbe after the contract (parts b, c and d), in plain dicts and without a database.

The model follows the contract's text, and tests compare the library with it. An action returns the
events that it raises. A refused action raises ``Refused`` before any change.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor
from typing import Any

from leanbe_emitter import stringify
from tests.support.expected_documents import KEYS, Document, arranged, arranged_context, printed


class Refused(Exception):
    """The contract refuses the action."""


@dataclass(frozen=True, kw_only=True)
class ExpectedEvent:
    """An event that the contract expects, with the text of its payload."""

    product: str
    name: str
    text: str


@dataclass(kw_only=True)
class ModelProduct:
    """A product; its first user is its owner."""

    id: str
    name: str
    users: list[Document]
    statuses: list[str]
    assumptions: dict[str, str] = field(default_factory=dict)

    def reads(self, name: str, article: str) -> str:
        """Return the value of an assumption."""
        return self.assumptions.get(name, article)

    @property
    def ref(self) -> Document:
        """The reference to the product in documents."""
        return {"_id": self.id, "name": self.name}


@dataclass(kw_only=True)
class ModelDocument:
    """A document's own members, and state that the document does not show."""

    id: str
    #: The product's id; a customer's product of origin.
    product: str
    own: Document
    #: A customer's products, in order.
    products: list[str] = field(default_factory=list)
    #: An idea's votes by customer, and those of nobody, newest last.
    votes: dict[str, str] = field(default_factory=dict)
    anonymous: list[str] = field(default_factory=list)
    #: An idea's requests, in order of attaching.
    requests: list[str] = field(default_factory=list)
    customer: str | None = None
    idea: str | None = None
    #: The last title of a backlog item's idea.
    idea_title: str | None = None


class Model:
    """All products and documents."""

    def __init__(self, products: Sequence[ModelProduct]) -> None:
        self.products = {each.id: each for each in products}
        self.things: dict[str, dict[str, ModelDocument]] = {resource: {} for resource in KEYS}
        self.now = ""

    # --- documents ---------------------------------------------------------------------------

    def document(self, resource: str, thing: ModelDocument, reader: ModelProduct) -> Document:
        """Return a document as a product sees it: ordered keys, current references."""
        values = {**thing.own, "_id": thing.id, **self._joined(resource, thing, reader)}
        return arranged(resource, values, is_null=reader.reads("unset", "omit") == "null")

    def text(self, resource: str, thing: ModelDocument, reader: ModelProduct) -> str:
        """Return the text of a document."""
        return stringify(self.document(resource, thing, reader))

    def of(self, resource: str, product: str) -> list[ModelDocument]:
        """Return a product's documents of one resource, oldest first."""
        return [
            each
            for each in self.things[resource].values()
            if (product in each.products if resource == "customer" else each.product == product)
        ]

    def _joined(self, resource: str, thing: ModelDocument, reader: ModelProduct) -> Document:
        if resource == "customer":
            return {"products": [self.products[each].ref for each in thing.products]}
        joined: Document = {"product": self.products[thing.product].ref}
        if resource == "idea":
            joined["upvotes"] = _upvotes(thing, reader)
            key = reader.reads("idea_request_ref_key", "id")
            joined["ideaRequests"] = [
                {key: each, "title": self.things["ideaRequest"][each].own["title"]}
                for each in thing.requests
            ]
        if resource == "ideaRequest":
            joined["customer"] = self._customer_ref(thing.customer)
        if resource == "okr":
            results = [{**each, "progress": _progress(each)} for each in thing.own["keyResults"]]
            joined["keyResults"] = results
            joined["progress"] = (
                floor(sum(each["progress"] for each in results) / len(results) + 0.5)
                if results
                else 0
            )
        if thing.idea is not None:
            idea = self.things["idea"].get(thing.idea)
            title = thing.idea_title if idea is None else idea.own["title"]
            joined["idea"] = {"_id": thing.idea, "title": title}
        return joined

    def _customer_ref(self, customer: str | None) -> Document | None:
        thing = self.things["customer"].get(customer or "")
        if thing is None:
            return None
        names = {key: thing.own.get(key) for key in ("firstName", "lastName")}
        return {"_id": thing.id, **names, "email": thing.own["email"]}

    # --- customers ---------------------------------------------------------------------------

    def create_customer(
        self, product: ModelProduct, fields: Document, new: Document
    ) -> list[ExpectedEvent]:
        """Create a customer, or add the product to a known customer."""
        _refuse(not fields.get("email"))
        key = fields["email"].casefold()
        known = [x for x in self.things["customer"].values() if _key(x) == key]
        _refuse(any(product.id in each.products for each in known))
        if known:
            rest = {name: value for name, value in fields.items() if name != "email"}
            return self.update_customer(known[0], rest, [*known[0].products, product.id])
        own = {**new, **_set(fields)}
        thing = ModelDocument(id=new["_id"], product=product.id, own=own, products=[product.id])
        return self._made("customer", thing)

    def update_customer(
        self, thing: ModelDocument, fields: Document, products: Sequence[str] | None = None
    ) -> list[ExpectedEvent]:
        """Change fields and products of a customer in one save."""
        wanted = list(products) if products is not None else thing.products
        _refuse(not wanted or fields.get("email", "x") is None)
        key = str(fields.get("email", thing.own["email"])).casefold()
        _refuse(
            any(
                each is not thing and _key(each) == key and set(each.products) & set(wanted)
                for each in self.things["customer"].values()
            )
        )
        left = [each for each in thing.products if each not in wanted]
        return self._changed(
            "customer", thing, lambda: _rewrite(thing, fields, wanted), receivers=[*wanted, *left]
        )

    def delete_customer(self, thing: ModelDocument) -> list[ExpectedEvent]:
        """Delete a customer everywhere, with the votes and the references of requests."""
        said = self._said("customer.deleted", "customer", thing)
        del self.things["customer"][thing.id]
        for idea in self.things["idea"].values():
            idea.votes.pop(thing.id, None)
        for request in self.things["ideaRequest"].values():
            request.customer = None if request.customer == thing.id else request.customer
        return said

    # --- idea requests -----------------------------------------------------------------------

    def create_request(
        self, product: ModelProduct, fields: Document, new: Document, customer: Document
    ) -> list[ExpectedEvent]:
        """Create a request of a customer (by id or e-mail) or of nobody.

        ``customer`` contains ``id`` or ``email``, and the members of a customer to create.
        """
        _refuse(not str(fields.get("title") or "").strip())
        said: list[ExpectedEvent] = []
        asking: str | None = customer.get("id")
        _refuse(
            asking is not None and asking not in {x.id for x in self.of("customer", product.id)}
        )
        if customer.get("email"):
            key = customer["email"].casefold()
            here = [x for x in self.of("customer", product.id) if _key(x) == key]
            if not here:
                made = {**customer["new"], "source": fields.get("source") or "Manual"}
                joins = any(_key(x) == key for x in self.things["customer"].values())
                given = {"email": customer["email"]}
                said = self.create_customer(product, given, customer["new"] if joins else made)
                here = [x for x in self.of("customer", product.id) if _key(x) == key]
            asking = here[0].id
        own = {**new, "status": "new", "source": "Manual", **_set(_described(fields))}
        thing = ModelDocument(id=new["_id"], product=product.id, own=own, customer=asking)
        return said + self._made("ideaRequest", thing)

    def attach(self, request: ModelDocument, idea: ModelDocument) -> list[ExpectedEvent]:
        """Attach a new request to an idea; the idea changes without an event, except by d-13."""
        _refuse(request.own["status"] != "new" or idea.own["archived"])
        before = self._state("idea", idea)
        self._attach(request, idea)
        self._move_on(idea)
        said = self._said("ideaRequest.attachedToIdea", "ideaRequest", request)
        return said + self._cascade("idea", idea, before)

    def ignore(self, request: ModelDocument) -> list[ExpectedEvent]:
        """Ignore a new request."""
        _refuse(request.own["status"] != "new")
        request.own["status"] = "ignored"
        self._move_on(request)
        return self._said("ideaRequest.ignored", "ideaRequest", request)

    def _attach(self, request: ModelDocument, idea: ModelDocument) -> None:
        request.own["status"] = "attached"
        self._move_on(request)
        request.idea = idea.id
        idea.requests.append(request.id)

    # --- ideas and votes ---------------------------------------------------------------------

    def create_idea(
        self,
        product: ModelProduct,
        fields: Document,
        new: Document,
        requests: Sequence[ModelDocument],
    ) -> list[ExpectedEvent]:
        """Create an idea, from requests or without."""
        _refuse(not str(fields.get("title") or "").strip())
        _refuse(any(each.own["status"] != "new" for each in requests))
        flags = {"tags": [], "visibility": "public", "promoted": False, "archived": False}
        own = {**new, "owner": product.users[0], **flags, **_set(_described(fields))}
        idea = ModelDocument(id=new["_id"], product=product.id, own=own)
        self.things["idea"][idea.id] = idea
        for each in requests:
            self._attach(each, idea)
        said = self._said("idea.created", "idea", idea)
        for each in requests:
            said += self._said("ideaRequest.attachedToIdea", "ideaRequest", each)
        return said

    def vote(
        self, idea: ModelDocument, direction: str, voter: ModelDocument | None
    ) -> list[ExpectedEvent]:
        """Vote, switch a vote or, under ``toggle``, withdraw an upvote."""
        product = self.products[idea.product]
        _refuse(idea.own["archived"])
        if voter is not None:
            _refuse(product.id not in voter.products)
            is_strict = product.reads("require_confirmed", "false") == "true"
            _refuse(is_strict and not voter.own["confirmed"])
        before = self._state("idea", idea)
        if product.reads("vote_model", "separate") == "toggle" and direction == "down":
            _take_back(idea, voter)
        elif voter is None:
            idea.anonymous.append(direction)
        else:
            _refuse(idea.votes.get(voter.id) == direction)
            idea.votes[voter.id] = direction
        self._touch(idea)
        context: Document = {}
        if product.reads("vote_payload", "idea-and-customer") != "idea":
            context["customer"] = None if voter is None else self._customer_ref(voter.id)
        said = self._said(f"idea.{direction}Voted", "idea", idea, context)
        return said + self._cascade("idea", idea, before)

    def withdraw(self, idea: ModelDocument, voter: ModelDocument) -> list[ExpectedEvent]:
        """Withdraw a vote; the action has no event of its own."""
        _refuse(idea.own["archived"] or voter.id not in idea.votes)
        before = self._state("idea", idea)
        del idea.votes[voter.id]
        self._touch(idea)
        return self._cascade("idea", idea, before)

    def promote(self, idea: ModelDocument, new: Document) -> list[ExpectedEvent]:
        """Promote an idea, once."""
        _refuse(idea.own["promoted"] or idea.own["archived"])
        before = self._state("idea", idea)
        idea.own["promoted"] = True
        self._move_on(idea)
        said = self._said("idea.promoted", "idea", idea) + self._cascade("idea", idea, before)
        product = self.products[idea.product]
        if product.reads("promote_creates_backlog_item", "true") == "false":
            return said
        taken = ("owner", "assigned", "title", "description", "descriptionHTML", "tags")
        own = {**new, **{key: deepcopy(idea.own.get(key)) for key in taken}}
        own["status"] = product.statuses[0]
        item = ModelDocument(id=new["_id"], product=product.id, own=own, idea=idea.id)
        return said + self._made("backlogItem", item)

    def delete_idea(self, idea: ModelDocument) -> list[ExpectedEvent]:
        """Delete an idea; its requests become new again."""
        said = self._said("idea.deleted", "idea", idea)
        for each in idea.requests:
            request = self.things["ideaRequest"][each]
            request.own["status"], request.idea = "new", None
        for item in self.things["backlogItem"].values():
            if item.idea == idea.id:
                item.idea_title = idea.own["title"]
        del self.things["idea"][idea.id]
        return said

    def _touch(self, idea: ModelDocument) -> None:
        if self.products[idea.product].reads("vote_touches_updated_at", "true") == "true":
            self._move_on(idea)

    # --- backlog items, OKRs, announcements, products ----------------------------------------

    def create_item(
        self, product: ModelProduct, fields: Document, new: Document
    ) -> list[ExpectedEvent]:
        """Create a backlog item with the given status, or the product's first one."""
        _refuse(not str(fields.get("title") or "").strip())
        _refuse("status" in fields and fields["status"] not in product.statuses)
        made = {"owner": product.users[0], "tags": [], "status": product.statuses[0]}
        own = {**new, **made, **_set(_described(fields))}
        return self._made("backlogItem", ModelDocument(id=new["_id"], product=product.id, own=own))

    def update_item(self, item: ModelDocument, fields: Document) -> list[ExpectedEvent]:
        """Change fields, the status, or both in one save."""
        product = self.products[item.product]
        _refuse("status" in fields and fields["status"] not in product.statuses)
        before, old = self._state("backlogItem", item), item.own["status"]
        said = self.update("backlogItem", item, fields)
        if not said or item.own["status"] == old:
            return said
        context = {"previousStatus": old}
        changed = self._said("backlogItem.statusChanged", "backlogItem", item, context)
        state = _without(self._state("backlogItem", item), "status")
        if state != _without(before, "status"):
            return said + changed
        return changed + self._cascade("backlogItem", item, before)

    def create_okr(
        self, product: ModelProduct, fields: Document, new: Document
    ) -> list[ExpectedEvent]:
        """Create an OKR; its key results are given with their ids."""
        _refuse(not str(fields.get("title") or "").strip())
        _refuse(_ends_too_soon(fields))
        own = {**new, "owner": product.users[0], "keyResults": [], **_set(fields)}
        return self._made("okr", ModelDocument(id=new["_id"], product=product.id, own=own))

    def update_okr(self, okr: ModelDocument, fields: Document) -> list[ExpectedEvent]:
        """Change an OKR."""
        _refuse(_ends_too_soon({**okr.own, **fields}))
        return self.update("okr", okr, fields, is_described=False)

    def create_announcement(
        self, product: ModelProduct, fields: Document, new: Document
    ) -> list[ExpectedEvent]:
        """Create an announcement, as a draft or published."""
        _refuse(not str(fields.get("title") or "").strip())
        made = {"owner": product.users[0], "categories": [], "status": "draft"}
        own = {**new, **made, **_set(_described(fields))}
        own["publishedAt"] = self.now if own["status"] == "published" else None
        return self._made("announcement", ModelDocument(id=new["_id"], product=product.id, own=own))

    def update_announcement(self, news: ModelDocument, fields: Document) -> list[ExpectedEvent]:
        """Change, publish or unpublish an announcement."""
        if fields.get("status", news.own["status"]) != news.own["status"]:
            is_published = fields["status"] == "published"
            fields = {**fields, "publishedAt": self.now if is_published else None}
        return self.update("announcement", news, fields)

    def update(
        self, resource: str, thing: ModelDocument, fields: Document, *, is_described: bool = True
    ) -> list[ExpectedEvent]:
        """Change fields of a document in one save."""
        _refuse("title" in fields and not str(fields["title"] or "").strip())
        new = _described(fields) if is_described else fields
        return self._changed(resource, thing, lambda: thing.own.update(new))

    def delete(self, resource: str, thing: ModelDocument) -> list[ExpectedEvent]:
        """Delete a backlog item, an OKR or an announcement."""
        said = self._said(f"{resource}.deleted", resource, thing)
        del self.things[resource][thing.id]
        return said

    def set_statuses(self, product: ModelProduct, statuses: Sequence[str]) -> list[ExpectedEvent]:
        """Set a product's statuses; a used status must not be missing."""
        used = {each.own["status"] for each in self.of("backlogItem", product.id)}
        _refuse(not statuses or len(set(statuses)) < len(statuses) or not used <= set(statuses))
        product.statuses = list(statuses)
        return []

    # --- events ------------------------------------------------------------------------------

    def _state(self, resource: str, thing: ModelDocument) -> list[Document]:
        """Return the document as each product sees it, without ``updatedAt``."""
        return [
            _without_time(self.document(resource, thing, each)) for each in self.products.values()
        ]

    def _made(self, resource: str, thing: ModelDocument) -> list[ExpectedEvent]:
        self.things[resource][thing.id] = thing
        return self._said(f"{resource}.created", resource, thing)

    def _changed(
        self,
        resource: str,
        thing: ModelDocument,
        change: Any,
        *,
        receivers: Sequence[str] | None = None,
    ) -> list[ExpectedEvent]:
        before = self._state(resource, thing)
        change()
        if [stringify(each) for each in before] == [
            stringify(each) for each in self._state(resource, thing)
        ]:
            return []
        self._move_on(thing)
        return self._updated(resource, thing, before, receivers)

    def _move_on(self, thing: ModelDocument) -> None:
        """Make a document's ``updatedAt`` later than before, even if the clock stands still."""
        before = datetime.fromisoformat(thing.own["updatedAt"])
        thing.own["updatedAt"] = max(self.now, printed(before + timedelta(milliseconds=1)))

    def _updated(
        self,
        resource: str,
        thing: ModelDocument,
        before: Sequence[Document],
        receivers: Sequence[str] | None = None,
    ) -> list[ExpectedEvent]:
        said: list[ExpectedEvent] = []
        for receiver in receivers or self._receivers(resource, thing):
            product = self.products[receiver]
            context: Document = {}
            if product.reads("include_changes", "false") == "true":
                old = before[list(self.products).index(receiver)]
                new = _without_time(self.document(resource, thing, product))
                context["changes"] = _changes(resource, old, new)
            said += self._said(f"{resource}.updated", resource, thing, context, [receiver])
        return said

    def _cascade(
        self, resource: str, thing: ModelDocument, before: Sequence[Document]
    ) -> list[ExpectedEvent]:
        if self.products[thing.product].reads("cascade", "none") == "none":
            return []
        return self._updated(resource, thing, before)

    def _said(
        self,
        event: str,
        resource: str,
        thing: ModelDocument,
        context: Document | None = None,
        receivers: Sequence[str] | None = None,
    ) -> list[ExpectedEvent]:
        said = []
        for receiver in receivers or self._receivers(resource, thing):
            product = self.products[receiver]
            if resource == "customer" and not _hears(product, thing):
                continue
            document = self.document(resource, thing, product)
            if event.endswith(".deleted") and product.reads("deleted_payload", "full") == "id":
                document = {"_id": thing.id}
            added = arranged_context(
                context or {}, is_null=product.reads("unset", "omit") == "null"
            )
            text = stringify({**document, **added})
            said.append(ExpectedEvent(product=receiver, name=event, text=text))
        return said

    @staticmethod
    def _receivers(resource: str, thing: ModelDocument) -> Sequence[str]:
        return thing.products if resource == "customer" else [thing.product]


def _rewrite(customer: ModelDocument, fields: Document, products: list[str]) -> None:
    customer.own.update(fields)
    customer.products = products


def _hears(product: ModelProduct, customer: ModelDocument) -> bool:
    return product.reads("customer_fanout", "all") == "all" or product.id == customer.product


def _refuse(is_refused: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if is_refused:
        raise Refused


def _set(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def _key(customer: ModelDocument) -> str:
    return str(customer.own["email"]).casefold()


def _described(fields: Document) -> Document:
    if "description" not in fields or "descriptionHTML" in fields:
        return fields
    text = fields["description"]
    if text is not None:
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, entity)
        text = f"<p>{text}</p>"
    return {**fields, "descriptionHTML": text}


def _ends_too_soon(okr: Document) -> bool:
    start, end = okr.get("startDate"), okr.get("endDate")
    return bool(start and end and end < start)


def _upvotes(idea: ModelDocument, reader: ModelProduct) -> int:
    votes = [*idea.votes.values(), *idea.anonymous]
    if reader.reads("vote_model", "separate") == "net":
        return votes.count("up") - votes.count("down")
    return votes.count("up")


def _take_back(idea: ModelDocument, voter: ModelDocument | None) -> None:
    if voter is None:
        _refuse("up" not in idea.anonymous)
        idea.anonymous.remove("up")
        return
    _refuse(idea.votes.get(voter.id) != "up")
    del idea.votes[voter.id]


def _progress(result: Document) -> int:
    start, current, target = (result[f"{each}Value"] for each in ("start", "current", "target"))
    if start == target:
        return 100 if current >= target else 0
    percent: int = floor(100 * (current - start) / (target - start) + 0.5)
    return max(0, min(100, percent))


def _changes(resource: str, old: Document, new: Document) -> list[Document]:
    return [
        {"field": key, "oldValue": old.get(key), "newValue": new.get(key)}
        for key in KEYS[resource]
        if stringify(old.get(key)) != stringify(new.get(key))
    ]


def _without_time(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "updatedAt"}


def _without(states: Sequence[Document], name: str) -> list[str]:
    return [stringify({k: v for k, v in each.items() if k != name}) for each in states]

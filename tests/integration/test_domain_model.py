"""Random actions, valid and not, against the contract in plain dicts (``domain_model``)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from hypothesis.stateful import run_state_machine_as_test as run

from tests.support.domain_model import ExpectedEvent, ModelDocument, ModelProduct, Refused
from tests.support.example_counts import example_count, is_proving
from tests.support.expected_documents import Document
from tests.support.model_comparison import ModelComparison, verbs_of
from tests.support.node import Node
from tests.support.random_fields import (
    ASSUMPTION_SETS,
    CUSTOMER,
    DESCRIBED,
    EMAILS,
    IDEA,
    ITEM,
    KEY_RESULTS,
    NEWS,
    NUMBERS,
    OKR,
    PICKS,
    SETTINGS,
    STATUSES,
    TITLES,
    WHERE,
    keywords,
    some_of,
    titled,
)
from tests.support.reused_databases import Databases

STEPS_OF_TEST, STEPS_OF_PROVE = 25, 50
EXAMPLES = 12
EXAMPLES_ON_POSTGRESQL = 2


class Machine(ModelComparison):
    """The actions to choose from."""

    @initialize(ours=ASSUMPTION_SETS, theirs=ASSUMPTION_SETS)
    def begin(self, ours: dict[str, str], theirs: dict[str, str]) -> None:
        self._open(ours, theirs)
        self._populate()

    def _populate(self) -> None:
        """Make some of everything, through the same rules."""
        for where, email in ((0, "ana@example.com"), (0, "bea@example.com"), (1, "cy@example.com")):
            self.create_customer(where, email, {"firstName": "A", "notes": [{"note": "n"}]})
        for where in (0, 0, 1):
            self.create_request(where, "ana@example.com", {"title": "Light", "description": "<i>"})
            self.create_idea(where, {"title": "Dark", "assigned": 1, "tags": [{"title": "ui"}]}, [])
        self.create_item(0, {"title": "Paint"})
        self.create_okr(0, {"title": "Grow"}, [{"title": "Users", "targetValue": 7}])
        self.create_announcement(0, {"title": "News"})
        self.let_time_pass()

    def let_time_pass(self) -> None:
        """Let a second pass."""
        self.set_something(0, ("time", 1_000))

    # --- customers ---------------------------------------------------------------------------

    @rule(where=WHERE, email=st.none() | EMAILS, fields=some_of(**CUSTOMER))
    def create_customer(self, where: int, email: str | None, fields: Document) -> None:
        product, ours = self._product(where)
        given = {**fields, "email": email}
        self._act(
            lambda: self.model.create_customer(ours, given, self._new_customer()),
            lambda: product.customers.create(**keywords(given)),
        )

    @rule(where=WHERE, which=PICKS, email=st.none() | EMAILS, fields=some_of(**CUSTOMER))
    def update_customer(self, where: int, which: int, email: str | None, fields: Document) -> None:
        product, _ = self._product(where)
        given = {**fields, **({"email": email} if email else {})}
        if thing := self._pick("customer", product, which):
            self._act(
                lambda: self.model.update_customer(thing, given),
                lambda: product.customers.update(thing.id, **keywords(given)),
            )

    @rule(where=WHERE, which=PICKS, joins=st.lists(st.integers(0, 1), unique=True))
    def move_customer(self, where: int, which: int, joins: list[int]) -> None:
        product, _ = self._product(where)
        wanted = [self.products[each] for each in joins]
        if thing := self._pick("customer", product, which):
            self._act(
                lambda: self.model.update_customer(thing, {}, [each.id for each in wanted]),
                lambda: product.customers.update(thing.id, products=wanted),
            )

    @rule(where=WHERE, which=PICKS)
    def confirm_customer(self, where: int, which: int) -> None:
        product, _ = self._product(where)
        if thing := self._pick("customer", product, which):
            self._act(
                lambda: self.model.update_customer(thing, {"confirmed": True}),
                lambda: product.customers.confirm(thing.id),
            )

    @rule(where=WHERE, which=PICKS)
    def delete_customer(self, where: int, which: int) -> None:
        product, _ = self._product(where)
        if thing := self._pick("customer", product, which):
            self._act(
                lambda: self.model.delete_customer(thing),
                lambda: product.customers.delete(thing.id),
            )

    # --- idea requests -----------------------------------------------------------------------

    @rule(
        where=WHERE,
        asking=st.none() | EMAILS | st.integers(0, 5),
        fields=titled(**DESCRIBED, source=st.sampled_from(["Portal", "Widget"])),
    )
    def create_request(self, where: int, asking: str | int | None, fields: Document) -> None:
        product, ours = self._product(where)
        customer: Document = {}
        if isinstance(asking, int):
            thing = self._pick("customer", self.products[asking % 2], asking)
            customer = {"id": thing.id} if thing else {}
        elif asking:
            customer = {"email": asking, "new": self._new_customer()}
        named = customer.get("id") or customer.get("email")
        key = str(customer.get("email")).casefold()
        known = any(
            str(each.own["email"]).casefold() == key
            for each in self.model.things["customer"].values()
        )
        ids = self.ids.upcoming(self.clock.now(), 2)
        new = self._new(ids[1] if customer.get("email") and not known else ids[0])
        self._act(
            lambda: self.model.create_request(ours, fields, new, customer),
            lambda: product.idea_requests.create(**keywords(fields), customer=named),
        )

    @rule(where=WHERE, which=PICKS, idea=PICKS, wherever=st.sampled_from([0, 0, 0, 1]))
    def attach(self, where: int, which: int, idea: int, wherever: int) -> None:
        product, ours = self._product(where)
        request = self._pick("ideaRequest", product, which)
        target = self._pick("idea", self._product(where + wherever)[0], idea)
        if request and target:
            self._act(
                lambda: self._attached(ours, request, target),
                lambda: product.idea_requests.attach(request.id, idea=target.id),
            )

    @rule(where=WHERE, which=PICKS)
    def ignore(self, where: int, which: int) -> None:
        product, _ = self._product(where)
        if thing := self._pick("ideaRequest", product, which):
            self._act(
                lambda: self.model.ignore(thing), lambda: product.idea_requests.ignore(thing.id)
            )

    # --- ideas -------------------------------------------------------------------------------

    @rule(where=WHERE, fields=titled(**IDEA), which=st.lists(PICKS, max_size=3))
    def create_idea(self, where: int, fields: Document, which: list[int]) -> None:
        product, ours = self._product(where)
        picked = [self._pick("ideaRequest", product, each) for each in which]
        requests = list({each.id: each for each in picked if each}.values())
        new = self._new(self.ids.upcoming(self.clock.now(), 1)[0])
        given = [each.id for each in requests]
        self._act(
            lambda: self.model.create_idea(ours, self._people(ours, fields), new, requests),
            lambda: product.ideas.create(**self._named(ours, fields), requests=given),
        )

    @rule(
        where=WHERE,
        which=PICKS,
        fields=some_of(title=TITLES, archived=st.sampled_from([False, False, True]), **IDEA),
    )
    def update_idea(self, where: int, which: int, fields: Document) -> None:
        product, ours = self._product(where)
        if thing := self._pick("idea", product, which):
            self._act(
                lambda: self.model.update("idea", thing, self._people(ours, fields)),
                lambda: product.ideas.update(thing.id, **self._named(ours, fields)),
            )

    @rule(
        where=WHERE,
        which=PICKS,
        voter=st.none() | PICKS,
        direction=st.sampled_from(["up", "down"]),
        elsewhere=st.sampled_from([0, 0, 0, 1]),
    )
    def vote(
        self, where: int, which: int, voter: int | None, direction: str, elsewhere: int
    ) -> None:
        product, _ = self._product(where)
        idea = self._pick("idea", product, which)
        customer = None
        if voter is not None:
            customer = self._pick("customer", self._product(where + elsewhere)[0], voter)
        if idea and (customer or voter is None):
            verb = product.ideas.upvote if direction == "up" else product.ideas.downvote
            named = None if customer is None else customer.id
            self._act(
                lambda: self.model.vote(idea, direction, customer),
                lambda: verb(idea.id, customer=named),
            )

    @rule(where=WHERE, which=PICKS, voter=PICKS)
    def withdraw_vote(self, where: int, which: int, voter: int) -> None:
        product, _ = self._product(where)
        idea = self._pick("idea", product, which)
        customer = self._pick("customer", product, voter)
        if idea and customer:
            self._act(
                lambda: self.model.withdraw(idea, customer),
                lambda: product.ideas.withdraw_vote(idea.id, customer=customer.id),
            )

    @rule(where=WHERE, which=PICKS)
    def promote(self, where: int, which: int) -> None:
        product, _ = self._product(where)
        new = self._new(self.ids.upcoming(self.clock.now(), 1)[0])
        if thing := self._pick("idea", product, which):
            self._act(
                lambda: self.model.promote(thing, new), lambda: product.ideas.promote(thing.id)
            )

    @rule(where=WHERE, which=PICKS)
    def delete_idea(self, where: int, which: int) -> None:
        product, _ = self._product(where)
        if thing := self._pick("idea", product, which):
            self._act(lambda: self.model.delete_idea(thing), lambda: product.ideas.delete(thing.id))

    # --- backlog items, OKRs, announcements --------------------------------------------------

    @rule(where=WHERE, fields=titled(**ITEM))
    def create_item(self, where: int, fields: Document) -> None:
        product, ours = self._product(where)
        new = self._new(self.ids.upcoming(self.clock.now(), 1)[0])
        self._act(
            lambda: self.model.create_item(ours, self._people(ours, fields), new),
            lambda: product.backlog_items.create(**self._named(ours, fields)),
        )

    @rule(where=WHERE, which=PICKS, fields=some_of(title=TITLES, **ITEM))
    def update_item(self, where: int, which: int, fields: Document) -> None:
        product, ours = self._product(where)
        if thing := self._pick("backlogItem", product, which):
            self._act(
                lambda: self.model.update_item(thing, self._people(ours, fields)),
                lambda: product.backlog_items.update(thing.id, **self._named(ours, fields)),
            )

    @rule(where=WHERE, which=PICKS, status=st.sampled_from(STATUSES))
    def set_status(self, where: int, which: int, status: str) -> None:
        product, _ = self._product(where)
        if thing := self._pick("backlogItem", product, which):
            self._act(
                lambda: self.model.update_item(thing, {"status": status}),
                lambda: product.backlog_items.set_status(thing.id, status),
            )

    @rule(where=WHERE, fields=titled(**OKR), key_results=KEY_RESULTS)
    def create_okr(self, where: int, fields: Document, key_results: list[Document]) -> None:
        product, ours = self._product(where)
        own, *rest = self.ids.upcoming(self.clock.now(), 1 + len(key_results))
        expected = {
            **self._people(ours, fields),
            "keyResults": [
                _measured(each, new) for each, new in zip(key_results, rest, strict=True)
            ],
        }
        self._act(
            lambda: self.model.create_okr(ours, _instants(expected), self._new(own)),
            lambda: product.okrs.create(**self._named(ours, fields), key_results=key_results),
        )

    @rule(
        where=WHERE,
        which=PICKS,
        fields=some_of(title=TITLES, **OKR),
        kept=st.none() | st.lists(PICKS, max_size=3),
        more=KEY_RESULTS,
    )
    def update_okr(
        self, where: int, which: int, fields: Document, kept: list[int] | None, more: list[Document]
    ) -> None:
        product, ours = self._product(where)
        thing = self._pick("okr", product, which)
        if not thing:
            return
        given, expected = dict(fields), self._people(ours, fields)
        if kept is not None:
            there = thing.own["keyResults"]
            old = (
                list({(n % len(there)): there[n % len(there)] for n in kept}.values())
                if there
                else []
            )
            ids = self.ids.upcoming(self.clock.now(), len(more))
            given["keyResults"] = [{"_id": each["_id"]} for each in old] + more
            expected["keyResults"] = old + [
                _measured(each, new) for each, new in zip(more, ids, strict=True)
            ]
        self._act(
            lambda: self.model.update_okr(thing, _instants(expected)),
            lambda: product.okrs.update(thing.id, **self._named(ours, given)),
        )

    @rule(where=WHERE, which=PICKS, what=PICKS, value=NUMBERS | st.just(float("inf")))
    def check_in(self, where: int, which: int, what: int, value: float) -> None:
        product, _ = self._product(where)
        thing = self._pick("okr", product, which)
        if thing and thing.own["keyResults"]:
            results = thing.own["keyResults"]
            measured = results[what % len(results)]
            expected = [
                {**each, "currentValue": value} if each is measured else each for each in results
            ]
            self._act(
                lambda: self._measured_again(thing, expected, value),
                lambda: product.okrs.check_in(thing.id, key_result=measured["_id"], value=value),
            )

    @rule(where=WHERE, fields=titled(**NEWS))
    def create_announcement(self, where: int, fields: Document) -> None:
        product, ours = self._product(where)
        new = self._new(self.ids.upcoming(self.clock.now(), 1)[0])
        self._act(
            lambda: self.model.create_announcement(ours, self._people(ours, fields), new),
            lambda: product.announcements.create(**self._named(ours, fields)),
        )

    @rule(where=WHERE, which=PICKS, fields=some_of(title=TITLES, **NEWS))
    def update_announcement(self, where: int, which: int, fields: Document) -> None:
        product, ours = self._product(where)
        if thing := self._pick("announcement", product, which):
            self._act(
                lambda: self.model.update_announcement(thing, self._people(ours, fields)),
                lambda: product.announcements.update(thing.id, **self._named(ours, fields)),
            )

    @rule(where=WHERE, which=PICKS, is_published=st.booleans())
    def publish(self, where: int, which: int, is_published: bool) -> None:  # noqa: FBT001 - drawn
        product, _ = self._product(where)
        verbs = product.announcements
        if thing := self._pick("announcement", product, which):
            status = "published" if is_published else "draft"
            self._act(
                lambda: self.model.update_announcement(thing, {"status": status}),
                lambda: (verbs.publish if is_published else verbs.unpublish)(thing.id),
            )

    @rule(
        where=WHERE, which=PICKS, resource=st.sampled_from(["backlogItem", "okr", "announcement"])
    )
    def delete(self, where: int, which: int, resource: str) -> None:
        product, _ = self._product(where)
        if thing := self._pick(resource, product, which):
            self._act(
                lambda: self.model.delete(resource, thing),
                lambda: verbs_of(product, resource).delete(thing.id),
            )

    # --- products and time -------------------------------------------------------------------

    @rule(where=WHERE, what=SETTINGS)
    def set_something(self, where: int, what: tuple[str, Any]) -> None:
        """Change a product's settings, or the time."""
        product, ours = self._product(where)
        kind, value = what
        if kind == "time":
            self.clock.set(self.clock.now() + timedelta(milliseconds=value))
        elif kind == "statuses":
            self._act(
                lambda: self.model.set_statuses(ours, value),
                lambda: self.leanbe.products.set_statuses(product.id, value),
            )
        elif kind != "name":
            self._act(
                lambda: _assumed(ours, kind, value),
                lambda: self.leanbe.assumptions.set(kind, value, product=product.id),
            )
        elif all(each.name != value for each in self.model.products.values()):
            self._act(
                lambda: _renamed(ours, value),
                lambda: self.leanbe.products.rename(product.id, value),
            )

    @rule(where=WHERE, which=PICKS, resource=st.sampled_from(["idea", "okr", "ideaRequest"]))
    def act_on_what_is_elsewhere(self, where: int, which: int, resource: str) -> None:
        """Nobody reaches the documents of another product, or what is not there."""
        product, _ = self._product(where)
        thing = self._pick(resource, self._product(where + 1)[0], which)
        named = thing.id if thing else "0" * 24
        verbs = verbs_of(product, resource)
        verb = verbs.ignore if resource == "ideaRequest" else verbs.delete
        self._act(_refused, lambda: verb(named))

    @staticmethod
    def _people(product: ModelProduct, fields: Document) -> Document:
        """Return the fields with documents of the users that are named by number."""
        return {
            name: product.users[value]
            if name in {"owner", "assigned"} and value is not None
            else value
            for name, value in fields.items()
        }

    def _named(self, product: ModelProduct, fields: Document) -> dict[str, Any]:
        """Return the fields as keywords, users by their ids."""
        return keywords(
            {
                name: value["_id"] if name in {"owner", "assigned"} and value else value
                for name, value in self._people(product, fields).items()
            }
        )

    def _measured_again(
        self, okr: ModelDocument, key_results: list[Document], value: float
    ) -> list[ExpectedEvent]:
        if value == float("inf"):
            raise Refused
        return self.model.update_okr(okr, {"keyResults": key_results})

    def _attached(
        self, product: ModelProduct, request: ModelDocument, idea: ModelDocument
    ) -> list[ExpectedEvent]:
        if idea.product != product.id:
            raise Refused
        return self.model.attach(request, idea)


def _refused() -> list[ExpectedEvent]:
    raise Refused


def _renamed(product: ModelProduct, name: str) -> list[ExpectedEvent]:
    product.name = name
    return []


def _assumed(product: ModelProduct, name: str, value: str) -> list[ExpectedEvent]:
    product.assumptions[name] = value
    return []


def _measured(given: Document, new_id: str) -> Document:
    start = given.get("startValue", 0)
    return {"startValue": start, "currentValue": start, **given, "_id": new_id}


def _instants(fields: Document) -> Document:
    return {
        name: f"{value}T00:00:00.000Z"
        if value and name.endswith("Date") and len(value) == 10
        else value
        for name, value in fields.items()
    }


def payloads_of_run(
    database: Callable[[], AbstractContextManager[str]], *, count: int
) -> list[str]:
    """Run the machine; return the payloads of all of its events."""

    class Acting(Machine):
        texts: ClassVar[list[str]] = []

    Acting.database = staticmethod(database)
    run(
        Acting,
        settings=settings(
            max_examples=count,
            stateful_step_count=STEPS_OF_PROVE if is_proving() else STEPS_OF_TEST,
            deadline=None,
            # To shrink a failure takes minutes, and its steps are printed as they are.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Acting.texts


def in_memory() -> AbstractContextManager[str]:
    return nullcontext(":memory:")


@pytest.fixture(scope="module")
def payloads() -> list[str]:
    """The payloads of a run of the machine, which both tests below need."""
    return payloads_of_run(in_memory, count=example_count(EXAMPLES))


@pytest.mark.hypothesis
def test_random_actions_match_the_contract(payloads: list[str]) -> None:
    assert payloads


@pytest.mark.node
@pytest.mark.hypothesis
def test_node_reads_and_writes_every_payload_unchanged_after_any_actions(
    payloads: list[str],
) -> None:
    with Node.started() as node:
        assert [node.restringify(each) for each in payloads] == payloads


@pytest.mark.hypothesis
def test_random_actions_give_the_same_on_postgresql(databases: Databases) -> None:
    assert payloads_of_run(databases.empty, count=example_count(EXAMPLES_ON_POSTGRESQL))

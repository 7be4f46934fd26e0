"""Planting: the domain's actions make the content of a seed, and nobody records their events.

Each document is one second younger than the one before it, and the last is one second older than
now. So lists are in the order of the file, and later documents come behind all of it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, ManualClock
from leanbe_emitter.domain import (
    announcements,
    backlog_items,
    customers,
    idea_requests,
    ideas,
    okrs,
    products,
    users,
    votes,
    webhooks,
)
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.validation import unknown_field
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.ids import OBJECT_ID_LENGTH
from leanbe_emitter.seeds.seed import FIXED_ID, SECTIONS, Entry, Product, Section, Seed, User
from leanbe_emitter.storage.schema.states import RequestStatus, VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.strict_model import Path
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean
from leanbe_emitter.wire.stringify import JSON

Made = TypeVar("Made")
#: The values for one action, by their names in the file.
Members = dict[str, Any]
#: The same, flat: each member, or each innermost setting, by its path.
Parts = Mapping[Path, Any]

#: The time between two documents.
_APART: Final = timedelta(seconds=1)
_VOTES: Final = {"upvotedBy": VoteDirection.UP, "downvotedBy": VoteDirection.DOWN}
_ID: Final = re.compile(rf"[0-9a-f]{{{OBJECT_ID_LENGTH}}}")
#: How many names a hint shows.
_MOST_NAMES: Final = 10
#: Members of a product that are planted by themselves.
_PLANTED_APART: Final = {"users", *(each.resource.collection for each in SECTIONS)}


class Begin(Protocol):
    """Begins an action in the transaction of the planting."""

    def __call__(self, *, clock: Clock, given_ids: Sequence[str | None] = ()) -> Action:
        """Return an action at the clock's instant, whose first documents get these ids."""


class Planter:
    """Plants a seed in one transaction.

    Args:
        seed: the seed.
        session: the session of the transaction.
        begin: begins an action in the transaction.
        now: the instant of the transaction.
    """

    def __init__(self, seed: Seed, session: Session, *, begin: Begin, now: datetime) -> None:
        self._seed = seed
        self._session = session
        self._begin = begin
        self._taken_ids = set[str]()
        count = sum(_size(each) for each in seed.content.products)
        self._clock = ManualClock(now - (count + 1) * _APART)

    def plant(self) -> None:
        """Plant the whole seed in a database without products.

        Raises:
            LeanbeError: the domain refuses a part. The message begins with the part's place.
        """
        planted = [
            (self._product(product, ("products", number)), product, ("products", number))
            for number, product in enumerate(self._seed.content.products)
        ]
        for row, product, at in planted:
            self._documents(row, product, at)

    def replant(self, row: ProductRow) -> None:
        """Plant the documents of a product that exists and has none. Its settings stay.

        Raises:
            LeanbeError: the same as for ``plant``.
        """
        for number, product in enumerate(self._seed.content.products):
            if product.name == row.name:
                self._documents(row, product, ("products", number))

    def _attempt(
        self, at: Path, make: Callable[[Members], Made], parts: Parts, stand_in: Parts
    ) -> Made:
        """Make one thing of its parts; an error names its place in the file.

        Args:
            at: the place in the file.
            make: calls the domain.
            parts: the parts in the file.
            stand_in: parts that the domain accepts. A trial tries other parts together with them.
        """
        del stand_in
        with self._seed.blaming(at):
            return make(nested(parts))

    def _product(self, product: Product, at: Path) -> ProductRow:
        settings = product.model_dump(by_alias=True, exclude_unset=True, exclude=_PLANTED_APART)
        row = self._attempt(at, self._create_product, dict(_parts(settings)), _any_product(at))
        self._take(product.id, None if product.owner is None else product.owner.id)
        for number, user in enumerate(product.users):
            place = (*at, "users", number)
            members = user.model_dump(by_alias=True, exclude_unset=True)
            create = partial(self._create_user, row)
            self._attempt(place, create, dict(_parts(members)), _any_user(place))
            self._take(user.id)
        return row

    def _create_product(self, members: Members) -> ProductRow:
        product = Product.model_validate(members)
        owner = product.owner
        action = self._next(product.id, None if owner is None else owner.id)
        row = products.create(
            action, product.name, owner=_person(owner), assume=product.assumptions
        )
        if product.statuses is not None:
            products.set_statuses(action, row, product.statuses)
        if (webhook := product.webhook) is not None:
            webhooks.set_url(action, row, webhook.url, **webhook.settings())
        return row

    def _create_user(self, row: ProductRow, members: Members) -> None:
        user = User.model_validate(members)
        users.create(self._next(user.id), row, **_person(user))

    def _documents(self, row: ProductRow, product: Product, at: Path) -> None:
        making = _Making(row, self._session)
        for section in SECTIONS:
            for number, entry in enumerate(product.entries(section.resource.collection)):
                place = (*at, section.name, number)
                parts: Parts = {(name,): value for name, value in entry.items()}
                create = partial(self._create_document, making, section)
                document_id = self._attempt(place, create, parts, _any_document(section, place))
                making.remember(section, entry, document_id)
                self._take(*_ids(entry))
        self._session.flush()

    def _create_document(self, making: "_Making", section: Section, entry: Members) -> str:
        _check_members(section, entry)
        return making.make(section, self._next(*_ids(entry)), entry)

    def _next(self, *given_ids: str | None) -> Action:
        """Begin the next action, one second after the one before it."""
        for each in given_ids:
            if each in self._taken_ids:
                raise InvalidValue(f"The _id {each!r} is there twice.", hint="Give each its own.")
        self._clock.set(self._clock.now() + _APART)
        return self._begin(clock=self._clock, given_ids=given_ids)

    def _take(self, *given_ids: str | None) -> None:
        self._taken_ids.update(each for each in given_ids if each is not None)


class _Making:
    """Makes the documents of one product, and knows their names in the file."""

    def __init__(self, product: ProductRow, session: Session) -> None:
        self._product = product
        self._session = session
        self._named: dict[str, dict[str, list[str]]] = {each.name: {} for each in SECTIONS}

    def remember(self, section: Section, entry: Entry, document_id: str) -> None:
        """Note a document by its names, to which later documents refer."""
        for name in (entry.get(section.resource.key), entry.get(FIXED_ID)):
            if isinstance(name, str):
                self._named[section.name].setdefault(name, []).append(document_id)

    def make(self, section: Section, action: Action, entry: Entry) -> str:
        """Make one document, and return its id."""
        values = {name: value for name, value in entry.items() if name in section.resource.settable}
        match section.name:
            case "customers":
                return customers.create(action, self._product, values).id
            case "ideaRequests":
                return self._idea_request(action, entry, values)
            case "ideas":
                return self._idea(action, entry, values)
            case "backlogItems":
                return self._backlog_item(action, entry, values)
            case "okrs":
                return okrs.create(action, self._product, _without_ids(values)).id
            case _:
                return announcements.create(action, self._product, values).id

    def _idea_request(self, action: Action, entry: Entry, values: Entry) -> str:
        row = idea_requests.create(action, self._product, values)
        if entry.get("status") == RequestStatus.IGNORED:
            idea_requests.ignore(action, self._product, row)
        return row.id

    def _idea(self, action: Action, entry: Entry, values: Entry) -> str:
        named = [self._id("ideaRequests", each) for each in _texts(entry, "requests")]
        row = ideas.create(action, self._product, values, requests=named)
        for member, direction in _VOTES.items():
            for reference in _texts(entry, member):
                votes.cast(action, self._product, row, direction, customer=reference)
        return row.id

    def _backlog_item(self, action: Action, entry: Entry, values: Entry) -> str:
        if entry.get("idea") is None:
            return backlog_items.create(action, self._product, values).id
        idea_id = self._id("ideas", _text("idea", entry["idea"]))
        idea = ideas.get(self._session, self._product, idea_id)
        row = ideas.promote(action, self._product, idea)
        if row is None:
            raise Conflict(
                f"The product {self._product.name!r} makes no backlog item of a promoted idea.",
                hint="Leave idea out, or the assumption promote_creates_backlog_item.",
            )
        return backlog_items.edit(action, self._product, row, values).id

    def _id(self, section: str, name: str) -> str:
        """Return the id of the one document of that name.

        Raises:
            InvalidValue: the file has no such document before this one, or several.
        """
        names = self._named[section]
        match names.get(name, []):
            case [found]:
                return found
            case []:
                raise InvalidValue(
                    f"There is no {name!r} among the product's {section}.",
                    hint=did_you_mean(name, names) or _there_are(section, names),
                )
            case several:
                raise InvalidValue(
                    f"{name!r} names {len(several)} of the file's {section}.",
                    hint="Give them an _id each, and name that.",
                )


def nested(parts: Parts) -> Members:
    """Return flat parts as the members that they were."""
    members: Members = {}
    for path, part in parts.items():
        inner: Any = members
        for step, following in pairwise(path):
            inner = inner.setdefault(step, [] if isinstance(following, int) else {})
        if isinstance(inner, list):
            inner.append(part)
        else:
            inner[path[-1]] = part
    return members


def _parts(members: Members, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the innermost settings of members with their paths."""
    for name, value in members.items():
        path = (*at, name)
        if isinstance(value, dict) and value:
            yield from _parts(value, path)
        elif isinstance(value, list) and value:
            yield from (((*path, place), each) for place, each in enumerate(value))
        else:
            yield path, value


def _any_product(at: Path) -> Parts:
    owner = {("owner", *path): part for path, part in _any_user(at).items()}
    return {("name",): _any_name(at), ("webhook", "url"): "http://127.0.0.1:9/", **owner}


def _any_user(at: Path) -> Parts:
    return {("email",): f"{_any_name(at)}@example.com", ("firstName",): _any_name(at)}


def _any_document(section: Section, at: Path) -> Parts:
    name = _any_name(at)
    key = section.resource.key
    return {(key,): f"{name}@example.com" if key == "email" else name}


def _any_name(at: Path) -> str:
    """Return a name that the file hardly has."""
    return f"part-{'-'.join(map(str, at))}"


def _check_members(section: Section, entry: Entry) -> None:
    """Check what only a seed file has: its members' names, fixed ids, and choices.

    Raises:
        InvalidValue: one is wrong.
    """
    for name, value in entry.items():
        if name in section.instead:
            raise InvalidValue(f"{name} cannot be set.", hint=section.instead[name])
        if name not in section.members:
            raise unknown_field(name, section.members)
        if value not in (choices := section.choices.get(name, (value,))):
            raise InvalidValue(f"{value!r} is no value of {name}.", hint=f"Use {any_of(choices)}.")
    for given in (each[FIXED_ID] for each in _with_ids(entry) if FIXED_ID in each):
        if not (isinstance(given, str) and _ID.fullmatch(given)):
            raise InvalidValue(
                f"{given!r} is no _id.", hint=f"Write {OBJECT_ID_LENGTH} hex digits, in quotes."
            )


def _with_ids(entry: Entry) -> Iterator[Entry]:
    """Yield a document and the key results in it, which may have fixed ids."""
    yield entry
    key_results = entry.get("keyResults")
    if isinstance(key_results, list):
        yield from (each for each in key_results if isinstance(each, dict))


def _ids(entry: Entry) -> list[str | None]:
    """Return the fixed ids of a document and of its key results; None for a new id."""
    return [each.get(FIXED_ID) for each in _with_ids(entry)]


def _texts(entry: Entry, name: str) -> list[str]:
    """Return the texts of a list member; none if the member is missing."""
    value = entry.get(name, [])
    if not isinstance(value, list):
        raise InvalidValue(f"{name} is {value!r}.", hint="It has to be a list.")
    return [_text(name, each) for each in value]


def _text(name: str, value: JSON) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"{name} is {value!r}.", hint="It has to be text.")
    return value


def _there_are(section: str, names: Collection[str]) -> str:
    shown = list(names)[:_MOST_NAMES]
    return f"There is {any_of(shown)}." if shown else f"It has no {section}."


def _person(user: User | None) -> dict[str, str]:
    return {} if user is None else {"email": user.email, "first_name": user.first_name}


def _size(product: Product) -> int:
    documents = sum(len(product.entries(each.resource.collection)) for each in SECTIONS)
    return 1 + len(product.users) + documents


def _without_ids(values: Entry) -> Entry:
    """Return the values of a new OKR, whose key results do not exist yet."""
    if not isinstance(key_results := values.get("keyResults"), list):
        return values
    return {**values, "keyResults": [_without_id(each) for each in key_results]}


def _without_id(value: JSON) -> JSON:
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if name != FIXED_ID}

"""What is wrong with the documents of a seed file, all at once, before anything is made.

A field's value is checked by what the domain knows of the resource; what is left to the actions
themselves is how documents stand to each other: a second vote, a request of two ideas.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from leanbe_emitter.domain.products import DEFAULT_OWNER
from leanbe_emitter.domain.users import email_key
from leanbe_emitter.domain.validation import (
    check_email,
    check_fields,
    is_storable,
    require,
    unknown_field,
)
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import OBJECT_ID_LENGTH
from leanbe_emitter.seeds.content import Content, Entry, Product
from leanbe_emitter.seeds.sections import FIXED_ID, SECTIONS, Refers, Section
from leanbe_emitter.strict_model import Mistake, Path, name_of
from leanbe_emitter.wire.assumptions.lookup import check
from leanbe_emitter.wire.stringify import JSON
from leanbe_emitter.wire.suggestions import any_of, did_you_mean

#: How many names a hint shows.
_MOST_NAMES = 10
#: What is checked member by member.
_DOCUMENTS = {each.attribute for each in SECTIONS}
_ID = re.compile(rf"[0-9a-f]{{{OBJECT_ID_LENGTH}}}")


def mistakes(content: Content) -> Iterator[Mistake]:
    """Yield what is wrong with a file whose parts are all there."""
    yield from _ids_given_twice(content)
    for number, product in enumerate(content.products):
        at: Path = ("products", number)
        yield from _unholdable(product.model_dump(by_alias=True, exclude=_DOCUMENTS), at)
        yield from _assumptions(product, at)
        names = _Names(content, product)
        for section in SECTIONS:
            for place, entry in enumerate(product.entries(section.attribute)):
                yield from _Entry(section, entry, (*at, section.name, place), names).mistakes()


def _ids_given_twice(content: Content) -> Iterator[Mistake]:
    seen = set[str]()
    for path, given in _ids(content):
        if given in seen:
            yield Mistake(path, f"The _id {given!r} is there twice.", "Give each its own.")
        seen.add(given)


def _ids(content: Content) -> Iterator[tuple[Path, str]]:
    for number, product in enumerate(content.products):
        at: Path = ("products", number)
        own = {at: product.id, (*at, "owner"): product.owner and product.owner.id}
        own |= {(*at, "users", i): user.id for i, user in enumerate(product.users)}
        yield from (((*path, FIXED_ID), given) for path, given in own.items() if given)
        for section in SECTIONS:
            for place, entry in enumerate(product.entries(section.attribute)):
                for inner, given in _ids_of(entry):
                    yield (*at, section.name, place, *inner), given


def _ids_of(entry: Entry) -> Iterator[tuple[Path, str]]:
    if isinstance(own := entry.get(FIXED_ID), str):
        yield (FIXED_ID,), own
    measured = entry.get("keyResults")
    for place, each in enumerate(measured if isinstance(measured, list) else []):
        if isinstance(each, dict) and isinstance(inner := each.get(FIXED_ID), str):
            yield ("keyResults", place, FIXED_ID), inner


def _unholdable(value: JSON, at: Path) -> Iterator[Mistake]:
    """Yield the texts that no database can hold; they are not shown, as some are secrets."""
    match value:
        case str() if not is_storable(value):
            said = f"{name_of(at)} holds a character that no database can hold."
            yield Mistake(at, said, "Leave out U+0000 and lone surrogates.")
        case dict():
            for name, each in value.items():
                yield from _unholdable(name, at)
                yield from _unholdable(each, (*at, name))
        case list():
            for place, each in enumerate(value):
                yield from _unholdable(each, (*at, place))


def _assumptions(product: Product, at: Path) -> Iterator[Mistake]:
    for name, text in product.assumptions.items():
        try:
            check(name, text)
        except InvalidValue as error:
            yield Mistake.of((*at, "assumptions", name), error)


class _Names:
    """What documents of one product can refer to."""

    def __init__(self, content: Content, product: Product) -> None:
        self._content = content
        self._product = product

    def of(self, section: str) -> list[str]:
        """Return the names and the fixed ids of all that there is of one kind."""
        match section:
            case "products":
                found = [(each.name, each.id) for each in self._content.products]
            case "users":
                owner = self._product.owner
                first = (DEFAULT_OWNER["email"], None) if owner is None else (owner.email, owner.id)
                found = [first, *((each.email, each.id) for each in self._product.users)]
            case "customers":
                found = [*_named(self._customers(), "email"), *self._asking()]
            case _:
                kind = next(each for each in SECTIONS if each.name == section)
                found = _named(self._product.entries(kind.attribute), kind.named_by)
        return [each for pair in found for each in pair if isinstance(each, str)]

    def _customers(self) -> list[Entry]:
        """Return the product's customers, those of other products who belong to it, too."""
        elsewhere = [
            each
            for product in self._content.products
            for each in product.customers
            if isinstance(named := each.get("products"), list)
            and (self._product.name in named or self._product.id in named)
        ]
        return [*self._product.customers, *elsewhere]

    def _asking(self) -> list[tuple[JSON, JSON]]:
        """Return who asks for something; those whom nobody knows are made customers by that."""
        named = [each.get("customer") for each in self._product.idea_requests]
        return [(each, None) for each in named if isinstance(each, str) and "@" in each]


def _named(entries: Sequence[Entry], member: str) -> list[tuple[JSON, JSON]]:
    return [(each.get(member), each.get(FIXED_ID)) for each in entries]


class _Entry:
    """A document of a file, and what is wrong with it."""

    def __init__(self, section: Section, entry: Entry, at: Path, names: _Names) -> None:
        self._section = section
        self._entry = entry
        self._at = at
        self._names = names

    def mistakes(self) -> Iterator[Mistake]:
        """Yield them, in the order of the document."""
        try:
            if "idea" not in self._entry:  # what comes of an idea has its title
                require(self._entry, self._section.named_by)
        except InvalidValue as error:
            yield Mistake.of(self._at, error)
        for name, value in self._entry.items():
            try:
                self._check(name, value)
            except InvalidValue as error:
                yield Mistake.of((*self._at, name), error)

    def _check(self, name: str, value: JSON) -> None:
        section = self._section
        if name == FIXED_ID:
            _check_id(value)
        elif name in section.instead:
            raise InvalidValue(f"{name} cannot be set.", hint=section.instead[name])
        elif name not in section.members:
            raise unknown_field(name, section.members)
        elif name in section.refers:
            self._check_references(name, value, section.refers[name])
        elif name in section.choices:
            _check_choice(name, value, section.choices[name])
        else:
            values = section.prepared({name: value})
            check_fields(section.resource, values, settable=section.settable)
            for _, inner in _ids_of({name: value}):
                _check_id(inner)

    def _check_references(self, name: str, value: JSON, refers: Refers) -> None:
        if refers.is_list and not isinstance(value, list):
            raise InvalidValue(f"{name} is {value!r}.", hint="It has to be a list.")
        named = value if refers.is_list else [] if value is None else [value]
        for each in named:
            self._check_reference(name, each, refers)

    def _check_reference(self, name: str, value: JSON, refers: Refers) -> None:
        if not isinstance(value, str):
            raise InvalidValue(f"{name} is {value!r}.", hint="It has to be text.")
        folded = email_key if refers.to in {"users", "customers"} else str
        names = self._names.of(refers.to)
        count = Counter(map(folded, names))[folded(value)]
        if count == 1 or (count and refers.to in {"users", "customers"}):
            return
        if count:
            raise InvalidValue(
                f"{value!r} names {count} of the file's {refers.to}.",
                hint="Give them an _id each, and name that.",
            )
        if refers.may_be_new and "@" in value:
            check_email(value)
            return
        raise InvalidValue(
            f"There is no {value!r} among the product's {refers.to}."
            if refers.to != "products"
            else f"There is no product {value!r} in the file.",
            hint=did_you_mean(value, names) or _there_are(refers.to, names),
        )


def _check_id(value: JSON) -> None:
    if not (isinstance(value, str) and _ID.fullmatch(value)):
        raise InvalidValue(
            f"{value!r} is no _id.", hint=f"Write {OBJECT_ID_LENGTH} hex digits, in quotes."
        )


def _check_choice(name: str, value: JSON, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InvalidValue(f"{value!r} is no value of {name}.", hint=f"Use {any_of(choices)}.")


def _there_are(section: str, names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))[:_MOST_NAMES]
    return f"There is {any_of(shown)}." if shown else f"It has no {section}."

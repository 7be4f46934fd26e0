"""Fields of documents: what users may set, checked against the resource's shape, and what changed.

Values come with the documents' own names (``firstName``); columns bear them in snake_case. None
takes an optional value away. References to users, customers, requests and products are given as
texts, and looked up by the resource itself.
"""

import math
import re
import sys
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from typing import Any, assert_never

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.domain.texts import check_email, check_text
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, Unset
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads.resources import document, document_shape
from leanbe_emitter.wire.payloads.shapes import (
    Anything,
    Boolean,
    Field,
    FreeForm,
    Integer,
    ListOf,
    Number,
    Object,
    Shape,
    Text,
    arrange,
)
from leanbe_emitter.wire.stringify import JSON, parse, stringify
from leanbe_emitter.wire.suggestions import did_you_mean, there_are

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@cache
def column_of(name: str) -> str:
    """Return the column of a document's member: ``descriptionHTML`` is ``description_html``."""
    return _WORDS.sub("_", name).lower()


def printed(milliseconds: int | None) -> str | None:
    """Return an instant of a row as documents have it."""
    return None if milliseconds is None else print_instant(from_milliseconds(milliseconds))


def check_fields(
    resource: str, values: Mapping[str, JSON], *, settable: Collection[str]
) -> dict[str, JSON]:
    """Return the values, each as its column holds it.

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        values: by the document's names; texts for references.
        settable: the names that may be given.

    Raises:
        InvalidValue: an unknown name (the hint has the nearest), or a value that does not fit.
    """
    shape = document_shape(resource)
    checked: dict[str, JSON] = {}
    for name, value in values.items():
        field = shape.field(name)
        if name not in settable or field is None:
            raise unknown(name, settable)
        checked[name] = _checked(value, field, name)
    if "descriptionHTML" in settable:
        _describe(checked)
    return checked


def unknown(name: str, settable: Collection[str]) -> InvalidValue:
    """Return the error that says that there is no such field, and which is nearest."""
    hint = did_you_mean(name, settable) or there_are(settable)
    return InvalidValue(f"There is no field {name!r} to set.", hint=hint)


def require(values: Mapping[str, JSON], name: str) -> None:
    """See that a value was given that a new document needs.

    Raises:
        InvalidValue: it was not.
    """
    if values.get(name) is None:
        raise InvalidValue(f"A value for {name} is missing.", hint=f"Give {name}.")


def change(row: Any, values: Mapping[str, JSON]) -> None:
    """Write checked values into a row's columns."""
    for name, value in values.items():
        setattr(row, column_of(name), value)


def changed(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> list[str]:
    """Return the names of what changed between two states of a document, in its order.

    Empty means that nothing did: then nothing is recorded, and ``updatedAt`` stays. Texts are
    compared: true and 1 are equal to Python, and not the same in JSON.
    """
    return [
        name
        for name in {**before, **after}
        if name != "updatedAt" and stringify(before.get(name)) != stringify(after.get(name))
    ]


def changes(
    resource: str, before: Mapping[str, JSON], after: Mapping[str, JSON], assumptions: AssumptionSet
) -> list[JSON]:
    """Return what changed, as an event tells it: values as the document has them (contract d-26).

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        before: the values by the document's names, and ``after`` likewise.
        after: the values now.
        assumptions: the product's, which shapes both documents.
    """
    old, new = (document(resource, each, assumptions=assumptions) for each in (before, after))
    order = [field.name for field in document_shape(resource, assumptions).fields]
    return [
        {"field": name, "oldValue": old.get(name), "newValue": new.get(name)}
        for name in sorted(changed(old, new), key=order.index)
    ]


def check_number(value: JSON, *, what: str) -> float:
    """Return the number as a database holds it.

    Raises:
        InvalidValue: it is no number, or not a finite one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not(value, "a number", what)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValue(f"{what} is no finite number.", hint="Give one that a double can hold.")
    return number


def _describe(values: dict[str, JSON]) -> None:
    """Add the HTML of a description that was given as text alone (contract b.1)."""
    if "description" in values and "descriptionHTML" not in values:
        text = values["description"]
        values["descriptionHTML"] = None if text is None else f"<p>{_escaped(str(text))}</p>"


def _checked(value: JSON, field: Field, place: str) -> JSON:
    if value is None:
        if field.required:
            raise InvalidValue(f"{place} cannot be taken away.", hint="Give it another value.")
        return None
    return _fitting(value, field.shape, place)


def _fitting(value: JSON, shape: Shape, place: str) -> JSON:  # noqa: PLR0911 - a kind, a return
    match shape:
        case Text():
            return _text(value, shape, place)
        case Boolean():
            return _of_type(value, bool, "true or false", place)
        case Integer() | Number():
            return check_number(value, what=place)
        case FreeForm():
            return _free_form(value, place)
        case Object():
            return _object(value, shape, place)
        case ListOf():
            entries = _of_type(value, list, "a list", place)
            return [_entry(each, shape.item, f"{place}[{i}]") for i, each in enumerate(entries)]
        case Anything():
            return value
        case _:
            assert_never(shape)


def _text(value: JSON, shape: Text, place: str) -> str:
    text: str = _of_type(value, str, "text", place)
    check_text(text, what=place)
    if shape.filled and not text.strip():
        raise InvalidValue(f"{place} is empty.", hint="Give it at least one letter.")
    if shape.choices and text not in shape.choices:
        raise InvalidValue(
            f"{text!r} is no value of {place}.", hint=f"Use {' or '.join(shape.choices)}."
        )
    if shape.format == "email":
        return check_email(text)
    if shape.format == "date":
        return _day(text, place)
    if shape.pattern and not re.fullmatch(shape.pattern, text):
        raise InvalidValue(f"{text!r} is no value of {place}.", hint=f"It fits {shape.pattern}.")
    return text


def _day(text: str, place: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise InvalidValue(f"{text!r} is no value of {place}.", hint="Write a day like 2023-07-01.")


def _free_form(value: JSON, place: str) -> dict[str, JSON]:
    """Return an object of any members as JSON has it, so that it is read as it was written."""
    text = stringify(_of_type(value, dict, "an object", place), max_bytes=sys.maxsize)
    _check_free_form(value, place)
    read: dict[str, JSON] = parse(text)
    return read


def _check_free_form(value: JSON, place: str) -> None:
    """See that a database can hold all texts of a value, and JSON its numbers."""
    match value:
        case str():
            check_text(value, what=place)
        case float():
            check_number(value, what=place)
        case dict():
            for name, member in value.items():
                check_text(name, what=f"{place}'s key")
                _check_free_form(member, f"{place}.{name}")
        case list() | tuple():
            for item in value:
                _check_free_form(item, place)


def _entry(value: JSON, shape: Object, place: str) -> dict[str, JSON]:
    """Return an entry of a list; a text is one where entries have one member only (a tag)."""
    words = "an object"
    if len(shape.fields) == 1:
        words = "a text or an object"
        if isinstance(value, str):
            value = {shape.fields[0].name: value}
    entry = _object(value, shape, place, words=words)
    # What bears an id is completed, or edited, by its resource.
    if shape.field("_id") is None:
        for field in shape.fields:
            if field.required and field.name not in entry:
                raise InvalidValue(f"{place} has no {field.name}.", hint=f"Give {field.name}.")
    return entry


def _object(value: JSON, shape: Object, place: str, *, words: str = "an object") -> dict[str, JSON]:
    members: dict[str, JSON] = _of_type(value, dict, words, place)
    checked: dict[str, JSON] = {}
    for name, member in members.items():
        field = shape.field(name)
        if field is None:
            raise unknown(f"{place}.{name}", [f"{place}.{each.name}" for each in shape.fields])
        checked[name] = _checked(member, field, f"{place}.{name}")
    return arrange(checked, shape, unset=Unset.OMIT)


def _of_type(value: JSON, kind: type, words: str, place: str) -> Any:
    if not isinstance(value, kind):
        raise _not(value, words, place)
    return value


def _not(value: JSON, words: str, place: str) -> InvalidValue:
    return InvalidValue(f"{place} is {value!r}.", hint=f"It has to be {words}.")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

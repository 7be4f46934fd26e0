"""Validation of what users set: fields by the shapes of documents, and texts that rows can hold.

Callers give values by the documents' own names (``firstName``). None removes an optional value.
Callers give references to users, customers, requests and products as texts, and each resource looks
them up itself. Texts may hold any Unicode that a database can store.
"""

import math
import re
import sys
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, assert_never

from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.wire.assumptions.assumption_set import Unset
from leanbe_emitter.wire.did_you_mean import did_you_mean, there_are
from leanbe_emitter.wire.payloads.declarations import Declaration
from leanbe_emitter.wire.payloads.event_payloads import document_shape
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

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
#: How long a name may be, in characters.
LONGEST_NAME = 200
#: An e-mail address has two parts: one before its ``@`` and one after it.
_PARTS_OF_EMAIL = 2


def check_fields(resource: Declaration, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Check values of a document, and return them as columns hold them.

    Args:
        resource: what users can set.
        values: by the document's names; texts for references.

    Raises:
        InvalidValue: a name is unknown (the hint has the nearest), or a value does not fit.
    """
    shape = document_shape(resource.name)
    checked: dict[str, JSON] = {}
    for name, value in values.items():
        field = shape.field(name)
        if name not in resource.settable or field is None:
            raise unknown_field(name, resource.settable)
        checked[name] = _checked(value, field, name)
    if "descriptionHTML" in resource.settable:
        _describe(checked)
    return checked


def unknown_field(name: str, settable: Collection[str]) -> InvalidValue:
    """Return the error for an unknown field, with the nearest name as its hint."""
    hint = did_you_mean(name, settable) or there_are(settable)
    return InvalidValue(f"There is no field {name!r} to set.", hint=hint)


def require(values: Mapping[str, JSON], name: str) -> None:
    """Check that a new document gets a value that it needs.

    Raises:
        InvalidValue: the value is missing.
    """
    if values.get(name) is None:
        raise InvalidValue(f"A value for {name} is missing.", hint=f"Give {name}.")


def check_number(value: JSON, *, what: str) -> float:
    """Return a number as a database stores it.

    Raises:
        InvalidValue: the value is no finite number.
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


def is_storable(value: str) -> bool:
    """Return whether a database can store the text: no U+0000, no lone surrogate."""
    return _UNSTORABLE.search(value) is None


def check_text(value: str, *, what: str, longest: int | None = None) -> str:
    """Return the text if a database can store it.

    Raises:
        InvalidValue: it is no text, has U+0000 or a lone surrogate, or is too long.
    """
    check_type(value, str, what=f"The {what}", words="text")
    if not is_storable(value):
        raise InvalidValue(
            f"The {what} {value!r} holds a character that no database can hold.",
            hint="Leave out U+0000 and lone surrogates.",
        )
    if longest is not None and len(value) > longest:
        raise InvalidValue(
            f"The {what} has {len(value)} characters.", hint=f"At most {longest} are taken."
        )
    return value


def check_name(value: str, *, what: str) -> str:
    """Return the name without white space around it.

    Raises:
        InvalidValue: the name is empty or too long, or a database cannot store it.
    """
    name = check_text(value, what=what, longest=LONGEST_NAME).strip()
    if not name:
        raise InvalidValue(f"The {what} is empty.", hint="Give it at least one letter.")
    return name


def check_email(value: str) -> str:
    """Return an e-mail address: a text with one ``@`` and something on both sides of it.

    Raises:
        InvalidValue: the text has another form.
    """
    email = check_name(value, what="e-mail address")
    parts = email.split("@")
    if len(parts) != _PARTS_OF_EMAIL or not all(parts) or any(each.isspace() for each in email):
        raise InvalidValue(
            f"{email!r} is no e-mail address.", hint="Write one like ana@example.com."
        )
    return email


def _describe(values: dict[str, JSON]) -> None:
    """Add the HTML of a description that was given without it (contract b.1)."""
    if "description" in values and "descriptionHTML" not in values:
        text = values["description"]
        values["descriptionHTML"] = None if text is None else f"<p>{_escaped(str(text))}</p>"


def _checked(value: JSON, field: Field, place: str) -> JSON:
    if value is None:
        if field.required:
            raise InvalidValue(f"{place} cannot be removed.", hint="Give it another value.")
        return None
    return _fitting(value, field.shape, place)


def _fitting(value: JSON, shape: Shape, place: str) -> JSON:  # noqa: PLR0911 - a return for each kind
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
        hint = f"It has to match {shape.pattern}."
        raise InvalidValue(f"{text!r} is no value of {place}.", hint=hint)
    return text


def _day(text: str, place: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise InvalidValue(f"{text!r} is no value of {place}.", hint="Write a day like 2023-07-01.")


def _free_form(value: JSON, place: str) -> dict[str, JSON]:
    """Return an object of any members as a round trip through JSON gives it."""
    text = stringify(_of_type(value, dict, "an object", place), max_bytes=sys.maxsize)
    _check_free_form(value, place)
    read: dict[str, JSON] = parse(text)
    return read


def _check_free_form(value: JSON, place: str) -> None:
    """Check that a database can store all texts of a value, and JSON its numbers."""
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
    """Return an entry of a list. If entries have one member only (a tag), a text will do."""
    words = "an object"
    if len(shape.fields) == 1:
        words = "a text or an object"
        if isinstance(value, str):
            value = {shape.fields[0].name: value}
    entry = _object(value, shape, place, words=words)
    # The resource itself completes or edits entries with an _id.
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
            raise unknown_field(
                f"{place}.{name}", [f"{place}.{each.name}" for each in shape.fields]
            )
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

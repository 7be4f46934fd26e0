"""Changes of a payload by path: ``title``, ``country.countryCode``, ``tags[0].title``.

A path is one of the event's shape or an error that says which there are. Keys keep the contract's
order, also those that the payload did not have; what stands in a free-form object is the caller's.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Unset
from leanbe_emitter.wire.payloads.resources import payload_shape
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
)
from leanbe_emitter.wire.stringify import JSON
from leanbe_emitter.wire.suggestions import did_you_mean

_Step: TypeAlias = str | int
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(0|[1-9][0-9]{0,5})\]")
_NUMBER_OR_FLAG = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|true|false|null")
_FLAGS = {"true": "True", "false": "False", "null": "None"}
_INDEX = re.compile(r"\[[0-9]+\]")


def paths(event: str, assumptions: AssumptionSet = ARTICLE) -> tuple[str, ...]:
    """Return every path of an event's payload; ``[0]`` stands for any item of a list.

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    return _paths(payload_shape(event, assumptions))


def change(  # noqa: PLR0913 - one argument for each option that changes a payload
    payload: Mapping[str, JSON],
    *,
    event: str,
    assumptions: AssumptionSet = ARTICLE,
    set: Mapping[str, str] | None = None,  # noqa: A002 - the word of --set
    set_json: Mapping[str, JSON] | None = None,
    unset: Sequence[str] = (),
) -> dict[str, JSON]:
    """Return a new payload with values set, then set as JSON, then unset.

    Args:
        payload: what is changed; it is left as it is.
        event: the name of its event, whose shape says which paths there are.
        assumptions: whose shape that is.
        set: text by path. It may be any text, and only where the shape has text.
        set_json: values by path, of any type: a test may send what is wrong.
        unset: paths to leave out, required ones too; where the reading writes what has no value as
            null (contract d-18), an optional field becomes null. What is not there stays away.

    Raises:
        InvalidValue: no such event or path, an index past the end of its list, or text for what
            is not text; the hint says what there is.
    """
    edit = _Edit(what=event, shape=payload_shape(event, assumptions), unset=assumptions.unset)
    return edit.changed(payload, set=set or {}, set_json=set_json or {}, unset=unset)


def change_fields(  # noqa: PLR0913 - one argument for each option that changes a document
    values: Mapping[str, JSON],
    *,
    what: str,
    shape: Object,
    set: Mapping[str, str] | None = None,  # noqa: A002 - the word of --set
    set_json: Mapping[str, JSON] | None = None,
    unset: Sequence[str] = (),
) -> dict[str, JSON]:
    """Return new values of a document's fields, changed by path as ``change`` does.

    Args:
        values: what is changed; it is left as it is.
        what: what the paths are of, for messages: ``idea``.
        shape: says which paths there are.
        set: text by path, where the shape has text.
        set_json: values by path, of any type.
        unset: paths whose values are taken away: an optional field becomes None.

    Raises:
        InvalidValue: no such path, an index past the end of its list, or text for what is not text;
            the hint says what there is.
    """
    edit = _Edit(what=what, shape=shape, unset=Unset.NULL)
    return edit.changed(values, set=set or {}, set_json=set_json or {}, unset=unset)


def first_step(path: str) -> str:
    """Return the field of the document that a path begins with; nothing where it is no path."""
    steps = _steps(path)
    return str(steps[0]) if steps else ""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A path that the shape has.

    Attributes:
        path: as it was given.
        steps: keys and indexes from the payload to the value.
        shapes: the shape of what each step is taken in; then that of the value.
        field: the field that the last step names; None for an item or in a free-form object.
    """

    path: str
    steps: tuple[_Step, ...]
    shapes: tuple[Shape, ...]
    field: Field | None


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """Finds, sets and drops the places of one payload or document.

    Attributes:
        what: what has the places, for messages: an event's name, a resource's.
        shape: says which there are.
        unset: whether what is dropped is left out or becomes None.
    """

    what: str
    shape: Object
    unset: Unset

    def changed(
        self,
        values: Mapping[str, JSON],
        *,
        set: Mapping[str, str],  # noqa: A002 - the word of --set
        set_json: Mapping[str, JSON],
        unset: Sequence[str],
    ) -> dict[str, JSON]:
        """Return the values with the changes made to them, in this order."""
        changed = deepcopy(dict(values))
        for path, text in set.items():
            place = self.find(path)
            self.require_text(place, text)
            self.put(changed, place, text)
        for path, value in set_json.items():
            self.put(changed, self.find(path), deepcopy(value))
        for path in unset:
            self.drop(changed, self.find(path))
        return changed

    def find(self, path: str) -> _Place:
        """Return the place of a path.

        Raises:
            InvalidValue: the shape has no such path; the hint names the nearest, or all.
        """
        steps = _steps(path)
        shapes: list[Shape] = [self.shape]
        field: Field | None = None
        for step in steps:
            field, shape = _inside(shapes[-1], step)
            if shape is None:
                raise self._no_path(path)
            shapes.append(shape)
        if not steps:
            raise self._no_path(path)
        return _Place(path=path, steps=steps, shapes=tuple(shapes), field=field)

    def require_text(self, place: _Place, text: str) -> None:
        """Raise InvalidValue where the shape has something other than text."""
        shape = place.shapes[-1]
        if isinstance(shape, Text | Anything):
            return
        inside = (f"{_plain(place.path)}.", f"{_plain(place.path)}[")
        members = [path for path in _paths(self.shape) if path.startswith(inside)]
        within = f"Set what is in it ({', '.join(members)}), or use" if members else "Use"
        raise InvalidValue(
            f"{place.path} of {self.what} is no text but {_in_words(shape)}.",
            hint=_setting(place.path, text).between(f"{within} ", "."),
        )

    def put(self, payload: dict[str, JSON], place: _Place, value: JSON) -> None:
        """Set the value at a place, making what is missing on the way to it."""
        holder: JSON = payload
        for position, step in enumerate(place.steps[:-1]):
            after = place.steps[position + 1]
            found = self._get(holder, place, position)
            if found is None:
                found = [] if isinstance(after, int) else {}
                _store(holder, step, found, place.shapes[position])
            holder = found
        self._get(holder, place, len(place.steps) - 1)
        _store(holder, place.steps[-1], value, place.shapes[-2])

    def drop(self, payload: dict[str, JSON], place: _Place) -> None:
        """Leave out what is at a place; a key that is not there is nothing to do."""
        holder: JSON = payload
        for position in range(len(place.steps) - 1):
            holder = self._get(holder, place, position, may_append=False)
            if holder is None:
                return
        last = place.steps[-1]
        self._get(holder, place, len(place.steps) - 1, may_append=False)
        if isinstance(last, int):
            del holder[last]
        elif self.unset is Unset.NULL and place.field is not None and not place.field.required:
            _store(holder, last, None, place.shapes[-2])
        else:
            holder.pop(last, None)

    def _get(self, holder: JSON, place: _Place, position: int, *, may_append: bool = True) -> JSON:
        """Return what a step leads to; None where nothing is, yet."""
        step = place.steps[position]
        if isinstance(step, str):
            if not isinstance(holder, dict):
                raise self._not_a(place, position, "an object")
            return holder.get(step)
        if not isinstance(holder, list):
            raise self._not_a(place, position, "a list")
        if step < len(holder):
            return holder[step]
        if step == len(holder) and may_append:
            return None
        raise InvalidValue(
            f"{place.path} is past the end of its list, whose length is {len(holder)}.",
            hint=f"Its next item would be [{len(holder)}].",
        )

    def _not_a(self, place: _Place, position: int, kind: str) -> InvalidValue:
        holder = _printed(place.steps[:position])
        return InvalidValue(
            f"{holder} of this payload is not {kind}: there is no {place.path} in it.",
            hint=f"Set {holder} first, to {kind}.",
        )

    def _no_path(self, path: str) -> InvalidValue:
        known = _paths(self.shape)
        suggestion = did_you_mean(path, known)
        every = f"Its paths: {', '.join(known)}."
        return InvalidValue(
            f"{self.what} has no path {path!r}.", hint=f"{suggestion} {every}".strip()
        )


def _steps(path: str) -> tuple[_Step, ...]:
    """Return the steps of a path; none where it is no path at all."""
    steps: list[_Step] = []
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end or (not steps and match[0].startswith(".")):
            return ()
        key, index = match.groups()
        steps.append(key if key is not None else int(index))
        end = match.end()
    return tuple(steps) if end == len(path) else ()


def _printed(steps: Sequence[_Step]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _plain(path: str) -> str:
    """Return the path as ``paths`` writes it."""
    return _INDEX.sub("[0]", path)


def _inside(shape: Shape, step: _Step) -> tuple[Field | None, Shape | None]:
    """Return the field that a step names, if any, and the shape it leads to; None for nowhere."""
    match shape:
        case Object() if isinstance(step, str):
            field = shape.field(step)
            return field, field.shape if field is not None else None
        case ListOf(item=item) if isinstance(step, int):
            return None, item
        case FreeForm() | Anything():
            return None, Anything()
        case _:
            return None, None


@lru_cache(maxsize=64)
def _paths(shape: Object) -> tuple[str, ...]:
    return tuple(path for field in shape.fields for path in _paths_of(field.name, field.shape))


def _paths_of(name: str, shape: Shape) -> tuple[str, ...]:
    match shape:
        case Object():
            return (name, *(f"{name}.{path}" for path in _paths(shape)))
        case ListOf(item=item):
            return (name, *_paths_of(f"{name}[0]", item))
        case _:
            return (name,)


def _store(holder: JSON, step: _Step, value: JSON, shape: Shape) -> None:
    """Set the value in its object or list; a new key stands where the shape has it."""
    if isinstance(step, int):
        holder[step : step + 1] = [value]
    elif step in holder or not isinstance(shape, Object):
        holder[step] = value
    else:
        _insert(holder, step, value, [field.name for field in shape.fields])


def _insert(holder: dict[str, JSON], key: str, value: JSON, order: Sequence[str]) -> None:
    """Insert the key before the first that the order has after it."""
    later = order[order.index(key) + 1 :]
    keys = list(holder)
    at = next((place for place, name in enumerate(keys) if name in later), len(keys))
    following = [(name, holder.pop(name)) for name in keys[at:]]
    holder[key] = value
    holder.update(following)


def _in_words(shape: Shape) -> str:
    match shape:
        case Integer() | Number():
            return "a number"
        case Boolean():
            return "true or false"
        case ListOf():
            return "a list"
        case _:
            return "an object"


def _setting(path: str, text: str) -> Hint:
    """Say how a value that is no text is set; VALUE stands in for no number and no flag."""
    value = text if _NUMBER_OR_FLAG.fullmatch(text) else "VALUE"
    in_python = _FLAGS.get(value, value)
    return Hint(
        call=f"Changes(set_json={{{path!r}: {in_python}}})",
        command=f"--set-json {path}={value}",
        request=f'{{"set": {{"{path}": {value}}}}}',
    )

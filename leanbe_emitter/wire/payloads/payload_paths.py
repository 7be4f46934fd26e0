"""Change a payload by paths: ``title``, ``country.countryCode``, ``tags[0].title``.

The event's shape has the path, or an error lists the paths that it has. Keys keep the contract's
order, new keys too. A free-form object takes any path.
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
from leanbe_emitter.wire.did_you_mean import did_you_mean
from leanbe_emitter.wire.payloads.event_payloads import payload_shape
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

_Step: TypeAlias = str | int
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(0|[1-9][0-9]{0,5})\]")
_NUMBER_OR_FLAG = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|true|false|null")
_FLAGS = {"true": "True", "false": "False", "null": "None"}
_INDEX = re.compile(r"\[[0-9]+\]")
#: How to send a member that the shape does not have.
_WHOLE_PAYLOAD = Hint(
    call="To send another member, give the whole payload: Changes(payload={...}).",
    command="To send another member, give the whole payload: trigger EVENT --payload @FILE.",
    request='To send another member, give the whole payload: {"payload": {...}}.',
)


def paths(event: str, assumptions: AssumptionSet = ARTICLE) -> tuple[str, ...]:
    """Return all paths of an event's payload; ``[0]`` stands for any item of a list.

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
        payload: the payload, which stays unchanged.
        event: the name of its event, whose shape has the paths.
        assumptions: they shape the payload.
        set: text by path, for paths whose shape is text.
        set_json: values by path, of any type, so that a test may send a wrong one.
        unset: paths to leave out, required ones too. If the assumptions write a missing value as
            null (contract d-18), an optional field becomes null. A missing path stays missing.

    Raises:
        InvalidValue: there is no such event or path, an index is past the end of its list, or the
            value of the path is no text; the hint lists the possibilities.
    """
    edit = _Edit(
        what=event,
        shape=payload_shape(event, assumptions),
        unset=assumptions.unset,
        adding=_WHOLE_PAYLOAD,
    )
    return edit.changed(payload, set=set or {}, set_json=set_json or {}, unset=unset)


def change_fields(  # noqa: PLR0913 - one argument for each option that changes a document
    values: Mapping[str, JSON],
    *,
    what: str,
    shape: Object,
    set: Mapping[str, str],  # noqa: A002 - the word of --set
    set_json: Mapping[str, JSON],
    unset: Sequence[str],
) -> dict[str, JSON]:
    """Return new values of a document's fields, with changes by paths like ``change``.

    Args:
        values: the values, which stay unchanged.
        what: the name of the document for messages: ``idea``.
        shape: the shape that has the paths.
        set: text by path, for paths whose shape is text.
        set_json: values by path, of any type.
        unset: paths to unset: an optional field becomes None.

    Raises:
        InvalidValue: there is no such path, an index is past the end of its list, or the value of
            the path is no text; the hint lists the possibilities.
    """
    edit = _Edit(what=what, shape=shape, unset=Unset.NULL)
    return edit.changed(values, set=set, set_json=set_json, unset=unset)


def first_step(path: str) -> str:
    """Return the document's field at the start of a path; an empty text if it is no path."""
    steps = _steps(path)
    return str(steps[0]) if steps else ""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A path of the shape.

    Attributes:
        path: the user's text.
        steps: keys and indexes from the payload to the value.
        shapes: the shape around each step, then the shape of the value.
        field: the field of the last step; None for an item or in a free-form object.
    """

    path: str
    steps: tuple[_Step, ...]
    shapes: tuple[Shape, ...]
    field: Field | None


@dataclass(frozen=True, kw_only=True)
class _Edit:
    """Finds, sets and drops values of one payload or document.

    Attributes:
        what: the name of the payload or document for messages.
        shape: the shape that has the paths.
        unset: whether a dropped value is left out or becomes None.
        adding: how to have a member that the shape does not have; None if nothing can have one.
    """

    what: str
    shape: Object
    unset: Unset
    adding: Hint | None = None

    def changed(
        self,
        values: Mapping[str, JSON],
        *,
        set: Mapping[str, str],  # noqa: A002 - the word of --set
        set_json: Mapping[str, JSON],
        unset: Sequence[str],
    ) -> dict[str, JSON]:
        """Return the changed values; the changes apply in the order of the arguments."""
        changed = deepcopy(dict(values))
        for path, text in set.items():
            place = self.find(path)
            self.require_text(place, text)
            self.put(changed, place, text)
        for path, value in set_json.items():
            self.put(changed, self.find(path), deepcopy(value))
        for path in unset:
            self.drop(changed, self.find(path, may_add=False))
        return changed

    def find(self, path: str, *, may_add: bool = True) -> _Place:
        """Return the place of a path.

        Args:
            path: the user's text.
            may_add: whether the error about a missing path says how to add a member.

        Raises:
            InvalidValue: the shape has no such path; the hint names the nearest, or all.
        """
        steps = _steps(path)
        shapes: list[Shape] = [self.shape]
        field: Field | None = None
        for step in steps:
            field, shape = _inside(shapes[-1], step)
            if shape is None:
                raise self._no_path(path, may_add=may_add)
            shapes.append(shape)
        if not steps:
            raise self._no_path(path, may_add=may_add)
        return _Place(path=path, steps=steps, shapes=tuple(shapes), field=field)

    def require_text(self, place: _Place, text: str) -> None:
        """Raise InvalidValue if the shape of the place is not text."""
        shape = place.shapes[-1]
        if isinstance(shape, Text | Anything):
            return
        inside = (f"{_plain(place.path)}.", f"{_plain(place.path)}[")
        members = [path for path in _paths(self.shape) if path.startswith(inside)]
        within = f"Set its members ({', '.join(members)}), or use" if members else "Use"
        raise InvalidValue(
            f"{place.path} of {self.what} is not text but {_in_words(shape)}.",
            hint=_setting(place.path, text).between(f"{within} ", "."),
        )

    def put(self, payload: dict[str, JSON], place: _Place, value: JSON) -> None:
        """Set the value at a place, and create missing objects and lists on the way."""
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
        """Drop the value at a place; do nothing if its key is missing."""
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
        """Return the value of a step; None if there is no value yet."""
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
            hint=_appending(place, position, len(holder)) if may_append else "",
        )

    def _not_a(self, place: _Place, position: int, kind: str) -> InvalidValue:
        holder = _printed(place.steps[:position])
        return InvalidValue(
            f"{holder} of this payload is not {kind}, so it has no {place.path}.",
            hint=f"Set {holder} first, to {kind}.",
        )

    def _no_path(self, path: str, *, may_add: bool) -> InvalidValue:
        known = _paths(self.shape)
        suggestion = did_you_mean(path, known)
        hint = Hint.same(f"{suggestion} Its paths: {', '.join(known)}.".strip())
        if may_add and self.adding is not None:
            hint = hint.then(self.adding)
        return InvalidValue(f"{self.what} has no path {path!r}.", hint=hint)


def _appending(place: _Place, position: int, length: int) -> Hint:
    """Return how to add an item to the list of a step."""
    path = _printed((*place.steps[:position], length, *place.steps[position + 1 :]))
    return Hint(
        call=f"To add an item: Changes(set={{{path!r}: ...}}).",
        command=f"To add an item: --set '{path}=TEXT'.",
        request=f'To add an item: {{"set": {{"{path}": ...}}}}.',
    )


def _steps(path: str) -> tuple[_Step, ...]:
    """Return the steps of a path; empty if the text is no path."""
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
    """Return the path in the form of ``paths``, with ``[0]`` for each index."""
    return _INDEX.sub("[0]", path)


def _inside(shape: Shape, step: _Step) -> tuple[Field | None, Shape | None]:
    """Return the field and the shape that a step leads to; the shape is None for a wrong step."""
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
    """Set the value in its object or list; a new key gets its place in the shape's order."""
    if isinstance(step, int):
        holder[step : step + 1] = [value]
    elif step in holder or not isinstance(shape, Object):
        holder[step] = value
    else:
        _insert(holder, step, value, [field.name for field in shape.fields])


def _insert(holder: dict[str, JSON], key: str, value: JSON, order: Sequence[str]) -> None:
    """Insert the key before the first key that follows it in the order."""
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


def _setting(path: str, given: object) -> Hint:
    """Return how to set a value that is not text; VALUE stands for the user's own."""
    text = str(given)  # a program may give a number, which is what the hint is for
    value = text if _NUMBER_OR_FLAG.fullmatch(text) else "VALUE"
    in_python = _FLAGS.get(value, value)
    return Hint(
        call=f"Changes(set_json={{{path!r}: {in_python}}})",
        command=f"--set-json {path}={value}",
        request=f'{{"set": {{"{path}": {value}}}}}',
    )

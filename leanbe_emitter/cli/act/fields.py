"""What a command line says of a document's fields, and what of it is to be set.

Common fields have options; every settable one has a path (``wire.paths``). Both give values by the
document's names, which the library takes in snake_case. Only fields that were named are handed on:
of a nested value that a path goes into, what else is in it stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

import click

from leanbe_emitter.cli.invocation.param_types import as_mapping
from leanbe_emitter.domain.fields import column_of
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.payloads.paths import change_fields, first_step
from leanbe_emitter.wire.payloads.resources import document_shape
from leanbe_emitter.wire.payloads.shapes import (
    Anything,
    Boolean,
    Field,
    ListOf,
    Object,
    Shape,
    Text,
)
from leanbe_emitter.wire.stringify import JSON
from leanbe_emitter.wire.suggestions import any_of

F = TypeVar("F", bound=Callable[..., Any])

#: Fields that name something else are set by what names it: an id, a name, an e-mail.
_REFERENCES: Final[Mapping[str, Shape]] = {
    "owner": Text(),
    "assigned": Text(),
    "customer": Text(),
    "products": Anything(),
}
#: What an entry of a list has, and nobody sets: it follows from the rest of the entry.
_DERIVED = ("progress",)


@dataclass(frozen=True, kw_only=True)
class FieldOption:
    """An option that sets one field.

    Attributes:
        field: the document's name of it; the library's, where the document has another.
        option: as it is typed; by default the field's name (``--first-name``).
        help: what it says; by default what the catalogue says of the field.
        metavar: what stands for the value in the help.
        kind: how the value is written; text by default.
        item: makes an entry of the field's list from one value; the option is then repeatable.
    """

    field: str
    option: str = ""
    help: str = ""
    metavar: str = "TEXT"
    kind: click.ParamType[Any] | None = None
    item: Callable[[Any], JSON] | None = None

    @property
    def parameter(self) -> str:
        """The name by which the command is given the value."""
        return f"field_{column_of(self.field)}"

    def added_to(self, command: F, shape: Object) -> F:
        """Return the command with this option."""
        field = shape.field(self.field)
        word = self.option or f"--{column_of(self.field).replace('_', '-')}"
        words = self.help or (field.meaning if field is not None else "")
        if field is not None and isinstance(field.shape, Boolean):
            flag = f"{word}/--no-{word.removeprefix('--')}"
            return click.option(flag, self.parameter, default=None, help=words)(command)
        return click.option(
            word,
            self.parameter,
            type=self.kind,
            metavar=self.metavar,
            multiple=self.item is not None,
            help=f"{words} Repeatable." if self.item is not None else words,
        )(command)

    def value(self, given: Any) -> JSON:
        """Return the field's value; what was given is the option's."""
        return given if self.item is None else [self.item(each) for each in given]


def texts(*fields: str) -> tuple[FieldOption, ...]:
    """Return options of fields that hold text."""
    return tuple(FieldOption(field=field) for field in fields)


def user(field: str) -> FieldOption:
    """Return the option of a field that names a user."""
    who = "Who owns it" if field == "owner" else "Who works on it"
    return FieldOption(field=field, metavar="U", help=f"{who}: e-mail or id of a user.")


def entries(field: str, *, option: str, member: str) -> FieldOption:
    """Return the repeatable option of a list whose entries have one member: ``--tag ui``."""
    return FieldOption(field=field, option=option, item=lambda text: {member: text})


def typed(options: Sequence[FieldOption], given: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the fields that options were given for, by the document's names.

    Args:
        options: those of the command.
        given: what click made of the command line; it is asked for these options' values only.
    """
    values = {option: given[option.parameter] for option in options}
    return {
        option.field: option.value(value)
        for option, value in values.items()
        if value is not None and value != ()
    }


@dataclass(frozen=True, kw_only=True)
class PathChanges:
    """What ``--set``, ``--set-json`` and ``--unset`` say."""

    set_text: tuple[tuple[str, str], ...]
    set_json: tuple[tuple[str, JSON], ...]
    unset: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return what was said, by what click made of the command line."""
        return cls(
            set_text=given["set_text"], set_json=given["set_json"], unset=given.get("unset", ())
        )

    @property
    def touched(self) -> list[str]:
        """The fields that the paths begin with."""
        paths = [path for path, _ in (*self.set_text, *self.set_json)] + list(self.unset)
        return [first_step(path) for path in paths]


def changed(
    resource: str,
    before: Mapping[str, JSON],
    options: Mapping[str, JSON],
    paths: PathChanges,
    *,
    settable: Sequence[str],
) -> dict[str, JSON]:
    """Return what the library is to set: its keyword arguments, None for what is taken away.

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        before: the document as it is; empty for a new one.
        options: fields that options were given for; paths then go into these values.
        paths: what was said by path.
        settable: the fields that may be set.

    Raises:
        InvalidValue: no such path, or one of a field that is not to be set.
    """
    _check_settable(resource, paths.touched, settable)
    after = change_fields(
        {**_referring(before, settable), **options},
        what=resource,
        shape=_settable_shape(resource, settable),
        set=as_mapping(paths.set_text),
        set_json=as_mapping(paths.set_json),
        unset=paths.unset,
    )
    return {column_of(name): after.get(name) for name in (*options, *paths.touched)}


def _check_settable(resource: str, touched: Sequence[str], settable: Sequence[str]) -> None:
    shape = document_shape(resource)
    for name in touched:
        if shape.field(name) is not None and name not in settable:
            raise InvalidValue(
                f"{name} is nothing to set: it follows from what is done.",
                hint=f"To be set are {any_of(settable)}.",
            )


def _settable_shape(resource: str, settable: Sequence[str]) -> Object:
    shape = document_shape(resource)
    fields = tuple(_settable(field) for field in shape.fields if field.name in settable)
    return Object(fields=fields)


def _settable(field: Field) -> Field:
    shape = _REFERENCES.get(field.name, field.shape)
    if isinstance(shape, ListOf):
        kept = tuple(each for each in shape.item.fields if each.name not in _DERIVED)
        shape = ListOf(item=Object(fields=kept))
    return replace(field, shape=shape)


def _referring(document: Mapping[str, JSON], settable: Sequence[str]) -> dict[str, JSON]:
    """Return the document's settable fields, each reference as the id that it is set by."""
    return {
        name: _ids(value) if name in _REFERENCES else value
        for name, value in document.items()
        if name in settable
    }


def _ids(reference: JSON) -> JSON:
    if isinstance(reference, list):
        return [_ids(each) for each in reference]
    return reference["_id"] if isinstance(reference, dict) else reference

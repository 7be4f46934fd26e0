"""The fields of a document on the command line: options, paths and filters.

Common fields have options, and every settable field has a path (``wire.payloads.paths``). The
catalogue of payload shapes says what a field means and which values it takes. Both ways use the
document's names; the library takes them in snake_case. Only named fields are passed on: a path into
a nested value keeps the rest of that value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self, TypeVar

import click

from leanbe_emitter.cli.invocation.param_types import as_mapping
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.payloads.declarations import REFERENCES, Argument, Declaration, snake_case
from leanbe_emitter.wire.payloads.event_payloads import document_shape
from leanbe_emitter.wire.payloads.payload_paths import change_fields, first_step
from leanbe_emitter.wire.payloads.shapes import Anything, Boolean, Field, ListOf, Object, Text
from leanbe_emitter.wire.stringify import JSON

F = TypeVar("F", bound=Callable[..., Any])

#: What stands for a reference in help texts, and what names it.
_NAMED_BY: Final[Mapping[str, tuple[str, str]]] = {
    "owner": ("U", "e-mail or id"),
    "assigned": ("U", "e-mail or id"),
    "customer": ("C", "e-mail or id"),
    "idea": ("ID", "id"),
    "keyResult": ("K", "title or id"),
}
#: Fields of a list's entry that nobody sets: they follow from the rest of the entry.
_DERIVED = ("progress",)


@dataclass(frozen=True, kw_only=True)
class FieldOption:
    """An option that sets one field.

    Attributes:
        field: its name in the document, or in the library if the document has another name.
        option: the option's name; by default the field's (``--first-name``).
        help: the help text; by default from the catalogue.
        metavar: what stands for the value in the help text.
        kind: the type of the value; text by default.
        item: turns one value into an entry of the field's list; the option is then repeatable.
    """

    field: str
    option: str = ""
    help: str = ""
    metavar: str = ""
    kind: "click.ParamType[Any] | None" = None
    item: Callable[[Any], JSON] | None = None

    @property
    def parameter(self) -> str:
        """The name of the command's parameter."""
        return f"field_{snake_case(self.field)}"

    def added_to(self, command: F, shape: Object) -> F:
        """Return the command with this option."""
        field = shape.field(self.field)
        word = self.option or f"--{snake_case(self.field).replace('_', '-')}"
        metavar, words = ("TEXT", "") if field is None else _described(self.field, field)
        words = self.help or words
        if field is not None and isinstance(field.shape, Boolean):
            flag = f"{word}/--no-{word.removeprefix('--')}"
            return click.option(flag, self.parameter, default=None, help=words)(command)
        return click.option(
            word,
            self.parameter,
            type=self.kind,
            metavar=self.metavar or metavar,
            multiple=self.item is not None,
            help=f"{words} Repeatable." if self.item is not None else words,
        )(command)

    def value(self, given: Any) -> JSON:
        """Return the field's value, made from the option's."""
        return given if self.item is None else [self.item(each) for each in given]


def field_options(*fields: str) -> tuple[FieldOption, ...]:
    """Return options of fields as the catalogue describes them."""
    return tuple(FieldOption(field=field) for field in fields)


def add_filter(command: F, resource: Declaration, name: str) -> F:
    """Return the command with the option of a list's filter, as the catalogue describes its field.

    Args:
        command: the command.
        resource: what users can do with the listed documents.
        name: a field, or one entry of a field (``tag`` of ``tags``).
    """
    field = resource.filtered(name)
    metavar, words = ("TEXT", "") if field is None else _described(name, field)
    if field is not None and isinstance(field.shape, Boolean):
        return click.option(f"--{name}/--no-{name}", default=None, help=words)(command)
    return click.option(f"--{name}", metavar=metavar, help=words)(command)


def add_argument(command: F, argument: Argument, *, is_word: bool) -> F:
    """Return the command with a verb's argument: a word of its own, or an option."""
    name = snake_case(argument.name)
    if is_word:
        return click.argument(name)(command)
    is_text = isinstance(argument.example, str)
    metavar = _NAMED_BY.get(argument.name, ("TEXT", ""))[0] if is_text else None
    kind, required = None if is_text else float, argument.is_required
    word = f"--{name.replace('_', '-')}"
    return click.option(word, type=kind, metavar=metavar, required=required, help=argument.meaning)(
        command
    )


def _described(name: str, field: Field) -> tuple[str, str]:
    """Return what stands for a field's value, and its help text."""
    metavar, values = _NAMED_BY.get(name, ("TEXT", ""))
    if isinstance(field.shape, Text) and field.shape.choices:
        values = any_of(field.shape.choices)
    elif name != field.name:
        values = "the title of one"
    return metavar, f"{field.meaning.removesuffix('.')}: {values}." if values else field.meaning


def entries(field: str, *, option: str, member: str) -> FieldOption:
    """Return the repeatable option of a list whose entries have one member: ``--tag ui``."""
    return FieldOption(field=field, option=option, item=lambda text: {member: text})


def typed(options: Sequence[FieldOption], given: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the values of the options that the user gave, by the document's names.

    Args:
        options: the command's options.
        given: the parameters of the command.
    """
    values = {option: given[option.parameter] for option in options}
    return {
        option.field: option.value(value)
        for option, value in values.items()
        if value is not None and value != ()
    }


@dataclass(frozen=True, kw_only=True)
class PathChanges:
    """The values of ``--set``, ``--set-json`` and ``--unset``."""

    set_text: tuple[tuple[str, str], ...]
    set_json: tuple[tuple[str, JSON], ...]
    unset: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the changes in a command's parameters."""
        return cls(
            set_text=given["set_text"], set_json=given["set_json"], unset=given.get("unset", ())
        )

    @property
    def touched(self) -> list[str]:
        """The fields in which the paths begin."""
        paths = [path for path, _ in (*self.set_text, *self.set_json)] + list(self.unset)
        return [first_step(path) for path in paths]


def changed(
    resource: Declaration,
    before: Mapping[str, JSON],
    options: Mapping[str, JSON],
    paths: PathChanges,
) -> dict[str, JSON]:
    """Return keyword arguments for the library; None takes a value away.

    Args:
        resource: what users can set.
        before: the document; empty for a new one.
        options: the values of options; paths go into these values.
        paths: the changes by path.

    Raises:
        InvalidValue: there is no such path, or the field cannot be set.
    """
    if not paths.touched:
        return {snake_case(name): value for name, value in options.items()}
    _check_settable(resource, paths.touched)
    after = change_fields(
        {**_referring(before, resource.settable), **options},
        what=resource.name,
        shape=_settable_shape(resource),
        set=as_mapping(paths.set_text),
        set_json=as_mapping(paths.set_json),
        unset=paths.unset,
    )
    return {snake_case(name): after.get(name) for name in (*options, *paths.touched)}


def _check_settable(resource: Declaration, touched: Sequence[str]) -> None:
    shape = document_shape(resource.name)
    for name in touched:
        if shape.field(name) is not None and name not in resource.settable:
            raise InvalidValue(
                f"{name} cannot be set: it follows from actions.",
                hint=f"Only {any_of(resource.settable)} can be set.",
            )


def _settable_shape(resource: Declaration) -> Object:
    shape = document_shape(resource.name)
    fields = tuple(_settable(field) for field in shape.fields if field.name in resource.settable)
    return Object(fields=fields)


def _settable(field: Field) -> Field:
    shape = field.shape
    if field.name in REFERENCES:
        # It is set by an id, a name or an e-mail, or by a list of those.
        shape = Anything() if isinstance(shape, ListOf) else Text()
    elif isinstance(shape, ListOf):
        fields = tuple(each for each in shape.item.fields if each.name not in _DERIVED)
        shape = ListOf(item=Object(fields=fields))
    return replace(field, shape=shape)


def _referring(document: Mapping[str, JSON], settable: Sequence[str]) -> dict[str, JSON]:
    """Return the document's settable fields, with an id in place of each reference."""
    return {
        name: _ids(value) if name in REFERENCES else value
        for name, value in document.items()
        if name in settable
    }


def _ids(reference: JSON) -> JSON:
    if isinstance(reference, list):
        return [_ids(each) for each in reference]
    return reference["_id"] if isinstance(reference, dict) else reference

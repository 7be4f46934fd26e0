"""Strict models of users' JSON and YAML: request bodies and seed files.

A model refuses unknown members. Its errors have the same words everywhere, instead of pydantic's.
"""

import reprlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from leanbe_emitter.wire.did_you_mean import did_you_mean, there_are
from leanbe_emitter.wire.stringify import stringify

#: The place of a value: names of members and indexes of lists.
Path = tuple[str | int, ...]

#: Members whose values no message shows.
_SECRET: Final = frozenset({"secret", "headers"})
#: The hint for each error type of pydantic.
_HINTS: Final = {
    "string_type": "It has to be text: put it in quotes.",
    "list_type": "It has to be a list.",
    "model_type": "It has to be an object.",
    "dict_type": "It has to be an object.",
    "bool_type": "It has to be true or false.",
    "int_type": "It has to be a whole number.",
    "float_type": "It has to be a number.",
    "finite_number": "It has to be a finite number.",
    "greater_than_equal": "It has to be at least {ge}.",
    "less_than_equal": "It has to be at most {le}.",
    "literal_error": "Use {expected}.",
    "string_pattern_mismatch": "Write 24 hex digits, in quotes.",
}
#: The hint for a member that is null.
_NULL_HINTS: Final = {
    "url": "It has to be a URL. For no webhook, leave the webhook out, or DELETE it."
}


class StrictModel(BaseModel):
    """Base that refuses unknown members."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, frozen=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return (each for each in super().__repr_args__() if each[0] not in _SECRET)


def assumption_text(value: object) -> object:
    """Return an assumption's value as text if it is a number or a boolean."""
    return stringify(value) if isinstance(value, bool | int | float) else value


#: An assumption's value: a text, or a number or boolean of YAML and JSON.
AssumptionValue = Annotated[str, BeforeValidator(assumption_text)]


class Webhook(StrictModel):
    """The webhook settings of a product."""

    url: str
    secret: str | None = None
    headers: dict[str, str] | None = None
    ca_file: str | None = None
    insecure: bool | None = None

    def settings(self) -> dict[str, Any]:
        """Return the settings besides the URL; a missing one not given."""
        headers = None if self.headers is None else self.headers.items()
        return {
            "secret": self.secret,
            "headers": headers,
            "ca_file": self.ca_file,
            "insecure": self.insecure,
        }


class FieldError(NamedTuple):
    """An error in a user's object, with its place."""

    path: Path
    message: str
    hint: str


def field_error_of(error: Mapping[str, Any], model: type[BaseModel], *, whole: str) -> FieldError:
    """Translate an error of mistake into this package's error, without secret values.

    Args:
        error: one of pydantic's errors.
        model: the model of the object.
        whole: the name of the whole object in messages.
    """
    path: Path = error["loc"]
    name = member_name(path) or whole
    match error["type"]:
        case "missing":
            return FieldError(path[:-1], f"{name} is missing.", f"Give {name}.")
        case "extra_forbidden":
            known = _members(model, path[:-1])
            hint = did_you_mean(name, known) or there_are(known)
            return FieldError(path, f"There is no member {name!r} here.", hint)
        case "string_unicode":  # a member's name that has no UTF-8
            known = _members(model, path)
            return FieldError(
                path, f"There is no member {error['input']!r} here.", there_are(known)
            )
        case "string_type" if error["input"] is None:
            return FieldError(path, f"{name} is null.", _NULL_HINTS.get(name, "It has to be text."))
        case "value_error":
            return FieldError(path, str(error["ctx"]["error"]), "")
        case kind:
            is_secret = not _SECRET.isdisjoint(path)
            message = (
                f"{name} is {'of the wrong type' if is_secret else shown_value(error['input'])}."
            )
            bounds = {name: _bound(each) for name, each in error.get("ctx", {}).items()}
            requirement = _HINTS.get(kind, "").format(**bounds) + _such_as(kind, model, path)
            return FieldError(path, message, requirement or f"{error['msg']}.")


def member_name(path: Path) -> str:
    """Return the name of a place in messages: ``url``, ``ids[0]``."""
    match path:
        case (*_, str(name)):
            return name
        case (*above, int(position)):
            return f"{member_name(tuple(above))}[{position}]"
        case _:
            return ""


def _such_as(kind: str, model: type[BaseModel], path: Path) -> str:
    """Return an example of an object or a list, as the end of a hint."""
    if kind not in {"model_type", "dict_type", "list_type"}:
        return ""
    *above, last = path or ("",)
    for each in _model_at(model, tuple(above)).model_fields.items():
        name, field = each
        if last in {name, field.alias} and field.examples:
            return f" An example: {stringify(field.examples[0])}"
    return ""


def _bound(value: object) -> object:
    """Return a limit as JSON writes it: ``0`` instead of ``0.0``."""
    return stringify(value) if isinstance(value, float) else value


def shown_value(value: Any) -> str:
    """Return a value for messages; the caller keeps secrets out."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "empty"
        case bool():
            return stringify(value)
        case _:
            return reprlib.repr(value)


def _members(model: type[BaseModel], path: Path) -> list[str]:
    """Return the names of the members at a place."""
    fields = _model_at(model, path).model_fields
    return [member.alias or name for name, member in fields.items()]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """Return the model of the object at a place; its nearest model, if it has none."""
    for step in path:
        for name, member in model.model_fields.items():
            if step in {member.alias, name}:
                model = next((each for each in _models(member.annotation)), model)
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a member's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from _models(each)

"""Strict models of objects that users write, in request bodies and in seed files.

A model refuses members that it does not describe, and its members have the documents' own names.
Requests and seed files report a mistake in the same words.
"""

import reprlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.stringify import stringify
from leanbe_emitter.wire.suggestions import did_you_mean, there_are

#: A place in a value: names of members and positions in lists.
Path = tuple[str | int, ...]

#: Members whose values no message shows.
_SECRET: Final = frozenset({"secret", "headers"})
#: Requirements by pydantic's types of errors.
_REQUIREMENTS: Final = {
    "string_type": "It has to be text: put it in quotes.",
    "list_type": "It has to be a list.",
    "model_type": "It has to have members.",
    "dict_type": "It has to have members.",
    "bool_type": "It has to be true or false.",
    "int_type": "It has to be a whole number.",
    "float_type": "It has to be a number.",
    "finite_number": "It has to be a number that is not infinite.",
    "greater_than_equal": "It has to be {ge} at least.",
    "less_than_equal": "It has to be {le} at the most.",
    "literal_error": "Use {expected}.",
    "string_pattern_mismatch": "Write 24 hex digits, in quotes.",
}
#: Advice for members that are null.
_NULL_HINTS: Final = {
    "url": "It has to be a URL. To have none, leave the webhook out, or DELETE it."
}


class StrictModel(BaseModel):
    """Base of models: an object with the described members only."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, frozen=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return (each for each in super().__repr_args__() if each[0] not in _SECRET)


def text_of_switch(value: object) -> object:
    """Return an assumption's value as its text if it is a number or a boolean."""
    return stringify(value) if isinstance(value, bool | int | float) else value


#: An assumption's value: a text, or a number or boolean of YAML and JSON.
Switch = Annotated[str, BeforeValidator(text_of_switch)]


class Webhook(StrictModel):
    """A product's webhook settings."""

    url: str
    secret: str | None = None
    headers: dict[str, str] | None = None
    ca_file: str | None = None
    insecure: bool | None = None

    def settings(self) -> dict[str, Any]:
        """Return the settings besides the URL; None: not given."""
        headers = None if self.headers is None else self.headers.items()
        return {
            "secret": self.secret,
            "headers": headers,
            "ca_file": self.ca_file,
            "insecure": self.insecure,
        }


class Mistake(NamedTuple):
    """A mistake in a value, and its place."""

    path: Path
    message: str
    hint: str

    @classmethod
    def of(cls, path: Path, error: InvalidValue) -> "Mistake":
        """Return the mistake of an error at a place."""
        return cls(path, error.message, error.hint)


def mistake_of(error: Mapping[str, Any], model: type[BaseModel], *, whole: str) -> Mistake:
    """Return the mistake of a pydantic error, without values that may be secrets.

    Args:
        error: one of the errors.
        model: the validated model.
        whole: the object's name in messages.
    """
    path: Path = error["loc"]
    name = name_of(path) or whole
    match error["type"]:
        case "missing":
            return Mistake(path[:-1], f"{name} is missing.", f"Give {name}.")
        case "extra_forbidden":
            known = _members(model, path[:-1])
            hint = did_you_mean(name, known) or there_are(known)
            return Mistake(path, f"There is no member {name!r} here.", hint)
        case "string_unicode":  # the name of a member, with a lone surrogate
            known = _members(model, path)
            return Mistake(path, f"There is no member {error['input']!r} here.", there_are(known))
        case "string_type" if error["input"] is None:
            return Mistake(path, f"{name} is null.", _NULL_HINTS.get(name, "It has to be text."))
        case "value_error":
            return Mistake(path, str(error["ctx"]["error"]), "")
        case kind:
            is_secret = not _SECRET.isdisjoint(path)
            message = f"{name} is {'of another kind' if is_secret else shown(error['input'])}."
            bounds = {name: _bound(each) for name, each in error.get("ctx", {}).items()}
            requirement = _REQUIREMENTS.get(kind, "").format(**bounds)
            return Mistake(path, message, requirement or f"{error['msg']}.")


def name_of(path: Path) -> str:
    """Return the name of a place in messages: ``url``, ``ids[0]``."""
    match path:
        case (*_, str(name)):
            return name
        case (*above, int(position)):
            return f"{name_of(tuple(above))}[{position}]"
        case _:
            return ""


def _bound(value: object) -> object:
    """Return a limit as JSON: ``0``, not Python's ``0.0``."""
    return stringify(value) if isinstance(value, float) else value


def shown(value: Any) -> str:
    """Return a value as messages show it; do not call it with secrets."""
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
    for step in path:
        for name, member in model.model_fields.items():
            if step in {member.alias, name}:
                model = next((each for each in _models(member.annotation)), model)
    return [member.alias or name for name, member in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a member's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from _models(each)

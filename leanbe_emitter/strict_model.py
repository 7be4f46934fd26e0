"""Objects that people write, in bodies of requests and in seed files: by the documents' own names.

A member that is not described is refused; what is wrong is said in our words, the same everywhere.
"""

import reprlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.stringify import stringify
from leanbe_emitter.wire.suggestions import did_you_mean, there_are

#: Where something stands in a value: names of members and places in lists.
Path = tuple[str | int, ...]

#: StrictModel whose values are told to nobody.
_SECRET: Final = frozenset({"secret", "headers"})
#: What is wanted, by what pydantic calls its lack.
_WANTED: Final = {
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
#: What to do instead of writing null.
_INSTEAD: Final = {"url": "It has to be a URL. To have none, leave the webhook out, or DELETE it."}


class StrictModel(BaseModel):
    """An object of these members and no others."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, frozen=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return (each for each in super().__repr_args__() if each[0] not in _SECRET)


def text_of_switch(value: object) -> object:
    """Return an assumption's value as its text, where it is a number or a truth value."""
    return stringify(value) if isinstance(value, bool | int | float) else value


#: An assumption's value: text, or what YAML and JSON have besides.
Switch = Annotated[str, BeforeValidator(text_of_switch)]


class Webhook(StrictModel):
    """Where a product's events go."""

    url: str
    secret: str | None = None
    headers: dict[str, str] | None = None
    ca_file: str | None = None
    insecure: bool | None = None

    def settings(self) -> dict[str, Any]:
        """Return what else is set with the URL; what is left out is None."""
        headers = None if self.headers is None else self.headers.items()
        return {
            "secret": self.secret,
            "headers": headers,
            "ca_file": self.ca_file,
            "insecure": self.insecure,
        }


class Mistake(NamedTuple):
    """Something that is wrong, and where."""

    path: Path
    message: str
    hint: str

    @classmethod
    def of(cls, path: Path, error: InvalidValue) -> "Mistake":
        """Return what an error says of a place."""
        return cls(path, error.message, error.hint)


def mistake_of(error: Mapping[str, Any], model: type[BaseModel], *, whole: str) -> Mistake:
    """Return what pydantic says, in our words, and no value that may be a secret.

    Args:
        error: one of its errors.
        model: of the object that it looked at.
        whole: how messages call that object.
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
        case "string_unicode":  # the name of a member, which no UTF-8 can be
            known = _members(model, path)
            return Mistake(path, f"There is no member {error['input']!r} here.", there_are(known))
        case "string_type" if error["input"] is None:
            return Mistake(path, f"{name} is null.", _INSTEAD.get(name, "It has to be text."))
        case "value_error":
            return Mistake(path, str(error["ctx"]["error"]), "")
        case kind:
            is_secret = not _SECRET.isdisjoint(path)
            said = f"{name} is {'of another kind' if is_secret else shown(error['input'])}."
            bounds = {name: _bound(each) for name, each in error.get("ctx", {}).items()}
            wanted = _WANTED.get(kind, "").format(**bounds)
            return Mistake(path, said, wanted or f"{error['msg']}.")


def name_of(path: Path) -> str:
    """Return how messages call what stands at a place: ``url``, ``ids[0]``."""
    match path:
        case (*_, str(name)):
            return name
        case (*above, int(position)):
            return f"{name_of(tuple(above))}[{position}]"
        case _:
            return ""


def _bound(value: object) -> object:
    """Return a limit as JSON has it: ``0``, where Python has ``0.0``."""
    return stringify(value) if isinstance(value, float) else value


def shown(value: Any) -> str:
    """Return how messages show a value; not for one that may be a secret."""
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
    """Return what the object at a place may have."""
    for step in path:
        for name, member in model.model_fields.items():
            if step in {member.alias, name}:
                model = next((each for each in _models(member.annotation)), model)
    return [member.alias or name for name, member in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a member's type speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from _models(each)

"""What a seed file says: products with their settings, and what each of them has.

Members have the documents' own names, as in bodies of the API. Documents themselves are checked by
what the domain knows of them (``checking``).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from leanbe_emitter.storage.tables import OBJECT_ID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVIRONMENT = "env:"


def _secret(text: str, info: ValidationInfo) -> str:
    """Return a secret, out of the environment where the file says so."""
    environ: Mapping[str, str] | None = info.context
    if environ is None or not text.startswith(_ENVIRONMENT):
        return text
    name = text.removeprefix(_ENVIRONMENT)
    if not environ.get(name):
        raise ValueError(f"The variable {name} is not set.")
    return environ[name]


def _absolute(name: str) -> str:
    """Return a file's name as it holds for whoever resets the database, wherever they are."""
    return str(Path(name).expanduser().absolute())


def _switch(value: object) -> object:
    """Return an assumption's value as its text: YAML and JSON have numbers and truth values."""
    return value if isinstance(value, str | dict | list | None) else json.dumps(value)


#: An ObjectId that the file fixes.
FixedId = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{OBJECT_ID_LENGTH}}}$")]
#: Text, or ``env:NAME``.
Secret = Annotated[str, AfterValidator(_secret)]
FileName = Annotated[str, AfterValidator(_absolute)]
Switch = Annotated[str, BeforeValidator(_switch)]
#: A document's fields, by its own names.
Entry = dict[str, Any]


class Part(BaseModel):
    """A part of a seed file."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, frozen=True)


class Webhook(Part):
    """Where a product's events go."""

    url: str
    secret: Secret | None = Field(default=None, repr=False)
    headers: dict[str, str] | None = Field(default=None, repr=False)
    ca_file: FileName | None = None
    insecure: bool | None = None

    def settings(self) -> dict[str, Any]:
        """Return what the domain takes with the URL; what is left out is None."""
        headers = None if self.headers is None else self.headers.items()
        return {
            "secret": self.secret,
            "headers": headers,
            "ca_file": self.ca_file,
            "insecure": self.insecure,
        }


class User(Part):
    """A member of a product's team."""

    id: FixedId | None = Field(default=None, alias="_id")
    email: str
    first_name: str


class Product(Part):
    """A product, and what it has."""

    id: FixedId | None = Field(default=None, alias="_id")
    name: str
    webhook: Webhook | None = None
    owner: User | None = None
    assumptions: dict[str, Switch] = {}
    statuses: list[str] | None = None
    users: list[User] = []
    customers: list[Entry] = []
    idea_requests: list[Entry] = []
    ideas: list[Entry] = []
    backlog_items: list[Entry] = []
    okrs: list[Entry] = []
    announcements: list[Entry] = []

    def entries(self, section: str) -> list[Entry]:
        """Return the documents of one kind, in the order of the file."""
        entries: list[Entry] = getattr(self, section)
        return entries


class Content(Part):
    """A whole seed file."""

    products: list[Product]

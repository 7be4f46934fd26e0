"""What a seed file says: products with their settings, and what each of them has.

Members have the documents' own names, as in bodies of the API. Documents themselves are checked by
what the domain knows of them (``checking``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from leanbe_emitter import strict_model
from leanbe_emitter.storage.schema.tables import OBJECT_ID_LENGTH
from leanbe_emitter.strict_model import StrictModel, Switch

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


#: An ObjectId that the file fixes.
FixedId = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{OBJECT_ID_LENGTH}}}$")]
#: Text, or ``env:NAME``.
Secret = Annotated[str, AfterValidator(_secret)]
FileName = Annotated[str, AfterValidator(_absolute)]
#: A document's fields, by its own names.
Entry = dict[str, Any]


class Webhook(strict_model.Webhook):
    """Where a product's events go."""

    secret: Secret | None = None
    ca_file: FileName | None = None


class User(StrictModel):
    """A member of a product's team."""

    id: FixedId | None = Field(default=None, alias="_id")
    email: str
    first_name: str


class Product(StrictModel):
    """A product, and what it has."""

    id: FixedId | None = Field(default=None, alias="_id")
    name: str
    webhook: Webhook | None = None
    owner: User | None = None
    assumptions: dict[str, Switch] = Field(default={})
    statuses: list[str] | None = None
    users: list[User] = Field(default=[])
    customers: list[Entry] = Field(default=[])
    idea_requests: list[Entry] = Field(default=[])
    ideas: list[Entry] = Field(default=[])
    backlog_items: list[Entry] = Field(default=[])
    okrs: list[Entry] = Field(default=[])
    announcements: list[Entry] = Field(default=[])

    def entries(self, section: str) -> list[Entry]:
        """Return the documents of one kind, in the order of the file."""
        entries: list[Entry] = getattr(self, section)
        return entries


class Content(StrictModel):
    """A whole seed file."""

    products: list[Product]

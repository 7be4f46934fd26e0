"""A seed: the content of a seed file, and the lines on which its parts stand.

A document refers to documents of earlier sections, or of its own product: to a user or a customer
by e-mail, to a request or an idea by its title, and to each of them also by a fixed ``_id``.

Members have the documents' own names, as in bodies of the API. The domain checks the documents.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from leanbe_emitter import strict_model
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.ids import OBJECT_ID_LENGTH
from leanbe_emitter.strict_model import AssumptionValue, StrictModel
from leanbe_emitter.strict_model import Path as MemberPath
from leanbe_emitter.wire.payloads.declarations import (
    ANNOUNCEMENT,
    BACKLOG_ITEM,
    CUSTOMER,
    IDEA,
    IDEA_REQUEST,
    OKR,
    Declaration,
)

#: The member that fixes a document's id.
FIXED_ID: Final = "_id"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of documents.

    Attributes:
        resource: what users can do with them.
        choices: members that only a seed file has, with their possible values.
        names: members that only a seed file has, and that name other documents.
        instead: members of documents that follow from others, with what to write instead.
    """

    resource: Declaration
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Sequence[str] = ()
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the section's name in the file."""
        return to_camel(self.resource.collection)

    @property
    def members(self) -> list[str]:
        """Return all members that a document may have in a seed file."""
        return [FIXED_ID, *self.resource.settable, *self.choices, *self.names]


SECTIONS: Final = (
    Section(resource=CUSTOMER),
    # An idea names the requests that are attached to it.
    Section(resource=IDEA_REQUEST, choices={"status": ("new", "ignored")}),
    Section(
        resource=IDEA,
        names=("requests", "upvotedBy", "downvotedBy"),
        instead={
            "promoted": "A backlog item that names the idea promotes it.",
            "upvotes": "Name the voters: upvotedBy is a list of customers.",
            "ideaRequests": "Name them in requests.",
        },
    ),
    Section(resource=BACKLOG_ITEM, names=("idea",)),
    Section(resource=OKR),
    Section(resource=ANNOUNCEMENT),
)


_ENVIRONMENT = "env:"


def _secret(text: str, info: ValidationInfo) -> str:
    """Return a secret; ``env:NAME`` takes it from the environment."""
    environ: Mapping[str, str] | None = info.context
    if environ is None or not text.startswith(_ENVIRONMENT):
        return text
    name = text.removeprefix(_ENVIRONMENT)
    if not environ.get(name):
        raise ValueError(f"The variable {name} is not set.")
    return environ[name]


def _absolute(name: str) -> str:
    """Return the absolute name of a file: another process may reset the database."""
    return str(Path(name).expanduser().absolute())


#: An ObjectId that the file fixes.
FixedId = Annotated[str, Field(pattern=rf"^[0-9a-f]{{{OBJECT_ID_LENGTH}}}$")]
#: A text, or ``env:NAME``.
Secret = Annotated[str, AfterValidator(_secret)]
FileName = Annotated[str, AfterValidator(_absolute)]
#: The members of a document, by the document's names.
Entry = dict[str, Any]


class Webhook(strict_model.Webhook):
    """The settings of a product's webhook."""

    secret: Secret | None = None
    ca_file: FileName | None = None


class User(StrictModel):
    """A user of a product."""

    id: FixedId | None = Field(default=None, alias="_id")
    email: str
    first_name: str


class Product(StrictModel):
    """A product with its settings and documents."""

    id: FixedId | None = Field(default=None, alias="_id")
    name: str
    webhook: Webhook | None = None
    owner: User | None = None
    assumptions: dict[str, AssumptionValue] = Field(default={})
    statuses: list[str] | None = None
    users: list[User] = Field(default=[])
    customers: list[Entry] = Field(default=[])
    idea_requests: list[Entry] = Field(default=[])
    ideas: list[Entry] = Field(default=[])
    backlog_items: list[Entry] = Field(default=[])
    okrs: list[Entry] = Field(default=[])
    announcements: list[Entry] = Field(default=[])

    def entries(self, section: str) -> list[Entry]:
        """Return the documents of a section, in the order of the file."""
        entries: list[Entry] = getattr(self, section)
        return entries


class Content(StrictModel):
    """A whole seed file."""

    products: list[Product]


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The content that a database begins with.

    Attributes:
        name: the file's name, as messages show it.
        content: the file's content.
        lines: the line of each part; empty for a seed that a database has stored.
    """

    name: str
    content: Content = field(repr=False)
    lines: Mapping[MemberPath, int] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The content as JSON. It has the secrets, even those of the environment."""
        return self.content.model_dump_json(by_alias=True, exclude_unset=True)

    @contextmanager
    def blaming(self, path: MemberPath) -> Iterator[None]:
        """Let an error of this block name a place in the file.

        Raises:
            LeanbeError: an error of the same class, whose message begins with file and line.
        """
        try:
            yield
        except LeanbeError as error:
            raise blamed(error, place(self.name, self.lines, path)) from error


def blamed(error: LeanbeError, where: str) -> LeanbeError:
    """Return an error of the same class whose message begins with a place."""
    return type(error)(f"{where}: {error.message}", hint=error.hints)


def place(name: str, lines: Mapping[MemberPath, int], path: MemberPath) -> str:
    """Return a place as file and line; without lines, as file and path."""
    line = line_of(lines, path)
    return f"{name}, at {'.'.join(map(str, path))}" if line is None else f"{name}:{line}"


def line_of(lines: Mapping[MemberPath, int], path: MemberPath) -> int | None:
    """Return the line of a place, or of the nearest outer part whose line is known."""
    inside_out = (path[:length] for length in range(len(path), -1, -1))
    return next((lines[each] for each in inside_out if each in lines), None)

"""``product.okrs``: objectives and their key results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict, Unpack

from leanbe_emitter.domain import okrs, users
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    Part,
    ProductReference,
    UserReference,
)
from leanbe_emitter.library.documents.resources import Kind, Resource, refers_to
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import OkrRow
from leanbe_emitter.wire.payloads.declarations import OKR
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class KeyResult(Part):
    """A key result, which measures an objective.

    Attributes:
        id: its ``_id``.
        progress: the progress from start value to target value, in percent.
    """

    id: str
    title: str
    start_value: float
    current_value: float
    target_value: float
    unit: str | None
    progress: int


@dataclass(frozen=True, kw_only=True)
class Okr(Document):
    """An objective with its key results.

    Attributes:
        progress: the mean of the key results' progress, in percent.
    """

    owner: UserReference
    title: str
    description: str | None
    start_date: datetime | None
    end_date: datetime | None
    progress: int
    key_results: tuple[KeyResult, ...]
    product: ProductReference


#: An OKR is named by a snapshot, the id, or a part of the id.
OkrRef = Okr | str
#: A key result is named by a snapshot, its title, the id, or a part of the id.
KeyResultRef = KeyResult | str


class OkrFields(TypedDict, total=False):
    """The settable fields of an OKR; None removes an optional value.

    Dates are instants, days (their midnight in UTC), or the text of either. ``key_results`` is the
    whole list; a key result that the list lacks is removed. An object with ``title``,
    ``targetValue`` and optionally ``startValue``, ``currentValue`` and ``unit`` adds a key result.
    An object with the ``_id`` of a key result edits it. A snapshot keeps its key result unchanged.
    """

    owner: UserRef
    title: str
    description: str | None
    start_date: datetime | date | str | None
    end_date: datetime | date | str | None
    key_results: Sequence[KeyResult | Mapping[str, str | float | None]]


class Okrs(Resource[OkrRow, Okr]):
    """The OKRs of one product."""

    _kind = Kind(
        declaration=OKR,
        table=OkrRow,
        documents=okrs.documents,
        snapshot=Okr,
        filters={"owner": refers_to(OkrRow.owner_id, users.get)},
    )

    def create(self, **fields: Unpack[OkrFields]) -> Okr:
        """Create an objective with its key results: ``okr.created``.

        Args:
            fields: see ``OkrFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, the title is missing, or the end date is
                before the start date.
            NotFound: there is no such user in the product.
        """
        return self._make(okrs.create, self._values(fields))

    def list(
        self,
        *,
        owner: UserRef | None = None,
        order: str = "oldest",
        q: str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Okr]:
        """Return OKRs in the order of creation.

        Args:
            owner: the user who owns the OKR; any user by default.
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the title, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such user in the product.
        """
        return self._page(owner=owner, order=order, q=q, limit=limit, after=after)

    def update(self, reference: OkrRef, **fields: Unpack[OkrFields]) -> Okr:
        """Change an OKR or its key results: one ``okr.updated``; no event if nothing changes.

        Raises:
            InvalidValue: a field or a value is refused, or the end date is before the start date.
            NotFound: there is no such OKR, user or key result.
        """
        return self._change(reference, okrs.edit, self._values(fields))

    def check_in(self, reference: OkrRef, *, key_result: KeyResultRef, value: float) -> Okr:
        """Set the current value of a key result: ``okr.updated``; no event if it stays the same.

        Raises:
            InvalidValue: the value is no finite number, or several key results match.
            NotFound: there is no such OKR or key result.
        """
        named = key_result if isinstance(key_result, str) else key_result.id
        return self._change(reference, okrs.check_in, key_result=named, value=value)

    def delete(self, reference: OkrRef) -> None:
        """Delete an OKR with its key results: ``okr.deleted``.

        Raises:
            NotFound: there is no such OKR.
        """
        self._remove(reference, okrs.remove)

    def _values(self, fields: Mapping[str, object]) -> dict[str, JSON]:
        """Return keyword arguments as the domain takes them: a key result becomes its id."""
        values = super()._values(fields)
        if isinstance(given := values.get("keyResults"), list):
            values["keyResults"] = [
                {"_id": each.id} if isinstance(each, KeyResult) else each for each in given
            ]
        return values

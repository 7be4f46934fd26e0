"""Many rows at once, written without the domain's actions, for tests of speed and of limits."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert, update

from leanbe_emitter.storage.schema.document_tables import (
    CustomerProductRow,
    CustomerRow,
    IdeaRequestRow,
    IdeaRow,
    VoteRow,
)
from leanbe_emitter.storage.schema.states import RequestStatus, VoteDirection
from tests.support.scene import COLOUR, PUBLIC_ID, Scene


def ids(kind: str, count: int) -> Sequence[str]:
    """Return a number of ids of one kind; the same ids in every run."""
    return [f"0{kind}{number:022x}" for number in range(count)]


def insert_customers(s: Scene, count: int) -> Sequence[str]:
    """Insert a number of customers of Acme; return their ids."""
    made = ids("c", count)
    _write(s, CustomerRow, (_customer(s, each) for each in made))
    _write(s, CustomerProductRow, (_belonging(s, each) for each in made))
    return made


def insert_ideas(s: Scene, count: int, *, up_votes: int = 0) -> Sequence[str]:
    """Insert a number of ideas of Acme; return their ids."""
    made = ids("1", count)
    _write(s, IdeaRow, (_idea(s, each, up_votes) for each in made))
    return made


def insert_requests(s: Scene, count: int, *, idea: str | None = None) -> Sequence[str]:
    """Insert a number of Ana's requests, new or attached to an idea; return their ids."""
    made = ids("a" if idea else "b", count)
    _write(s, IdeaRequestRow, (_request(s, each, n, idea) for n, each in enumerate(made, 1)))
    return made


def insert_votes(s: Scene, voters: Sequence[str | None], ideas: Sequence[str]) -> None:
    """Insert an upvote for each pair of voter and idea; the shorter list repeats."""
    count = max(len(voters), len(ideas))
    pairs = [(voters[n % len(voters)], ideas[n % len(ideas)]) for n in range(count)]
    _write(
        s,
        VoteRow,
        (
            {
                "id": f"0e{number:022x}",
                "idea_id": idea,
                "customer_id": voter,
                "direction": VoteDirection.UP,
                "created_at": 0,
            }
            for number, (voter, idea) in enumerate(pairs)
        ),
    )
    with s.leanbe._database.transaction() as session:
        session.execute(
            update(IdeaRow)
            .where(IdeaRow.id.in_(ideas[:1]) if len(ideas) == 1 else IdeaRow.id.like("01%"))
            .values(up_votes=IdeaRow.up_votes + count // len(ideas))
        )


def _write(s: Scene, table: type, rows: Iterable[dict[str, Any]]) -> None:
    with s.leanbe._database.transaction() as session:
        session.execute(insert(table), list(rows))


def _times() -> dict[str, int]:
    return {"created_at": 0, "updated_at": 0}


def _customer(s: Scene, customer_id: str) -> dict[str, Any]:
    return {
        "id": customer_id,
        "origin_product_id": s.product.id,
        "public_id": PUBLIC_ID,
        "email": f"{customer_id}@example.com",
        "image": {},
        "source": "Import",
        "confirmed": False,
        "bg_color": COLOUR,
        "is_temporary": False,
        "devices": [],
        "billing_details": [],
        "notes": [],
        **_times(),
    }


def _belonging(s: Scene, customer_id: str) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "product_id": s.product.id,
        "position": 0,
        "email_key": f"{customer_id}@example.com",
    }


def _idea(s: Scene, idea_id: str, up_votes: int) -> dict[str, Any]:
    return {
        "id": idea_id,
        "product_id": s.product.id,
        "owner_id": s.owner.id,
        "title": "One of many",
        "tags": [],
        "visibility": "public",
        "promoted": False,
        "archived": False,
        "up_votes": up_votes,
        "down_votes": 0,
        **_times(),
    }


def _request(s: Scene, request_id: str, number: int, idea: str | None) -> dict[str, Any]:
    return {
        "id": request_id,
        "product_id": s.product.id,
        "customer_id": s.ana.id,
        "title": "One of many",
        "status": RequestStatus.ATTACHED if idea else RequestStatus.NEW,
        "source": "Import",
        "idea_id": idea,
        "position": number if idea else None,
        **_times(),
    }

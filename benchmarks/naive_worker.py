"""The worker that everybody writes first: ORM objects, a commit per delivery, a client's defaults.

The client is httpx, or its successor httpx2, whose pool does not slow down as requests wait for it.

It has two tables of its own, so that it stays what it is whatever becomes of ours. It reads a few
deliveries that are due (``together``), sends them at once, and commits each when it is answered.
"""

import asyncio
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.engine import Database
from benchmarks.processes import measured, options, say, wait_for_word


class _Base(DeclarativeBase):
    pass


class _Delivery(_Base):
    __tablename__ = "naive_deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    body: Mapped[str]
    is_delivered: Mapped[bool] = mapped_column(default=False, index=True)


class _Attempt(_Base):
    __tablename__ = "naive_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("naive_deliveries.id"))
    at: Mapped[datetime]
    status: Mapped[int]


async def _work(  # noqa: PLR0913 - an argument an option
    *, client: str, db: str, url: str, body: str, deliveries: int, together: int
) -> None:
    # The product's own engine: the same journal mode and the same safety of a commit.
    database = Database(db)
    _Base.metadata.create_all(database.engine)
    with Session(database.engine) as session:
        session.add_all(_Delivery(url=url, body=body) for _ in range(deliveries))
        session.commit()
    async with import_module(client).AsyncClient() as opened:
        say(ready=True)
        wait_for_word()
        with measured() as result, Session(database.engine) as session:
            while due := _due(session, together):
                await asyncio.gather(*(_deliver(session, opened, each) for each in due))
    say(**result)
    database.close()


def _due(session: Session, limit: int) -> list[_Delivery]:
    waiting = select(_Delivery).where(_Delivery.is_delivered.is_(False))
    return list(session.scalars(waiting.order_by(_Delivery.id).limit(limit)))


async def _deliver(session: Session, client: Any, delivery: _Delivery) -> None:
    answer = await client.post(
        delivery.url, content=delivery.body, headers={"Content-Type": "application/json"}
    )
    session.add(_Attempt(delivery_id=delivery.id, at=datetime.now(UTC), status=answer.status_code))
    delivery.is_delivered = answer.is_success
    session.commit()


if __name__ == "__main__":
    asyncio.run(_work(**options()))

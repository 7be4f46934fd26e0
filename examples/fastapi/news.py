"""A page of news by Leanbe's webhooks: what was announced, and what was shipped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from leanbe_emitter import Envelope
from leanbe_emitter.receivers.fastapi import verified
from sqlalchemy import Engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

ChangeNotifier = dict[str, list[str]]


class Base(DeclarativeBase):
    """The tables."""


class Announcement(Base):
    """An announcement in its newest state; one that was deleted is kept, and not shown."""

    __tablename__ = "announcements"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    is_shown: Mapped[bool]
    updated_at: Mapped[str]


class Shipped(Base):
    """A piece of work that was done; when it is done once more, that is news again."""

    __tablename__ = "shipped"

    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Seen(Base):
    """An event that was handled: Leanbe may send it again, and sends no id of it."""

    __tablename__ = "seen"

    event: Mapped[str] = mapped_column(primary_key=True)
    triggered_at: Mapped[str] = mapped_column(primary_key=True)
    signature: Mapped[str] = mapped_column(primary_key=True)


def create_app(engine: Engine, *, secret: str) -> FastAPI:
    """Return the app, which makes its tables when it starts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        Base.metadata.create_all(engine)
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/hooks/leanbe", status_code=204)
    def receive(envelope: Annotated[Envelope, Depends(verified(secret))]) -> None:
        handle = HANDLERS.get(envelope.event)
        if handle is None:  # others are accepted, new ones too
            return
        with Session(engine) as session, session.begin():  # what is seen is done, or neither is
            if is_new(session, envelope):
                handle(session, envelope.payload)

    @app.get("/news")
    def show_news() -> ChangeNotifier:
        with Session(engine) as session:
            return news(session)

    return app


def news(session: Session) -> ChangeNotifier:
    """Return what the page shows."""
    shown = select(Announcement.title).where(Announcement.is_shown).order_by(Announcement.id)
    shipped = select(Shipped.title).order_by(Shipped.number)
    return {"announced": [*session.scalars(shown)], "shipped": [*session.scalars(shipped)]}


def is_new(session: Session, envelope: Envelope) -> bool:
    """Say whether an event comes for the first time, and remember that it did."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if session.get(Seen, key) is not None:
        return False
    session.add(Seen(event=key[0], triggered_at=key[1], signature=key[2]))
    session.flush()  # who is a moment too late fails here, and sees it when Leanbe tries again
    return True


def save(session: Session, announcement: dict[str, Any]) -> None:
    """Keep an announcement, unless something newer is known: events may overtake each other."""
    known = session.get(Announcement, announcement["_id"])
    if known is None or known.updated_at <= announcement["updatedAt"]:
        session.merge(
            Announcement(
                id=announcement["_id"],
                title=announcement["title"],
                is_shown=announcement["status"] == "published",
                updated_at=announcement["updatedAt"],
            )
        )


def delete(session: Session, announcement: dict[str, Any]) -> None:
    """Hide an announcement for good, though an older event of it come later."""
    save(session, announcement)
    session.get_one(Announcement, announcement["_id"]).is_shown = False


def ship(session: Session, item: dict[str, Any]) -> None:
    """Tell of a piece of work, when it is done."""
    if item["status"] == "Done":
        session.add(Shipped(title=item["title"]))


HANDLERS = {
    "announcement.created": save,
    "announcement.updated": save,
    "announcement.deleted": delete,
    "backlogItem.statusChanged": ship,
}

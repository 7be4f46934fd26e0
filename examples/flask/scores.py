"""The ideas of a product and their scores, kept up to date by Leanbe's webhooks."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from flask import Flask
from leanbe_emitter import Envelope
from leanbe_emitter.receivers.flask import verified

TABLES = """
CREATE TABLE IF NOT EXISTS ideas (id TEXT PRIMARY KEY, title TEXT, score INTEGER);
CREATE TABLE IF NOT EXISTS seen (event TEXT, triggered_at TEXT, signature TEXT,
    PRIMARY KEY (event, triggered_at, signature));
"""


def create_app(database: str, *, secret: str) -> Flask:
    """Return the app; ``database`` is the path of a file of SQLite."""
    app = Flask(__name__)
    with closing(sqlite3.connect(database)) as db:
        db.executescript(TABLES)

    @app.post("/hooks/leanbe")
    @verified(secret)
    def receive(envelope: Envelope) -> tuple[str, int]:
        with closing(sqlite3.connect(database)) as db, db:  # what is seen is done, or neither is
            handle = HANDLERS.get(envelope.event)  # all others are accepted, new ones too
            if handle and is_new(db, envelope):
                handle(db, envelope.payload)
        return "", 204

    @app.get("/ideas")
    def ideas() -> dict[str, int]:
        with closing(sqlite3.connect(database)) as db:
            return dict(db.execute("SELECT title, score FROM ideas ORDER BY score DESC"))

    return app


def is_new(db: sqlite3.Connection, envelope: Envelope) -> bool:
    """Say whether an event comes for the first time: Leanbe may send it again."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    return db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", key).rowcount == 1


def save(db: sqlite3.Connection, idea: dict[str, Any], *, vote: int = 0) -> None:
    """Every event of an idea carries all of it, so that none has to come first."""
    db.execute(
        "INSERT INTO ideas VALUES (?, ?, ?) ON CONFLICT (id) "
        "DO UPDATE SET title = excluded.title, score = score + excluded.score",
        (idea["_id"], idea["title"], vote),
    )


def delete(db: sqlite3.Connection, idea: dict[str, Any]) -> None:
    db.execute("DELETE FROM ideas WHERE id = ?", (idea["_id"],))


HANDLERS: dict[str, Callable[[sqlite3.Connection, dict[str, Any]], None]] = {
    "idea.created": save,
    "idea.updated": save,
    "idea.upVoted": partial(save, vote=1),
    "idea.downVoted": partial(save, vote=-1),
    "idea.deleted": delete,
}

"""Alembic's environment: it uses a given connection, or else the database of LEANBE_EMITTER_DB."""

import os

from alembic import context
from sqlalchemy import Connection

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.document_tables import METADATA


def run(connection: Connection) -> None:
    """Run the migrations in the connection's own transaction."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(os.environ.get("LEANBE_EMITTER_DB", "sqlite:///leanbe-emitter.db"))
    with database.engine.begin() as own:
        run(own)

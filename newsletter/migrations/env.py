"""How migrations run: online, on the app's own engine, one at a time."""

from alembic import context
from sqlalchemy import text

from newsletter.db import db

ONE_AT_A_TIME = 7_310_774  # an advisory lock: two machines may run `newsletter migrate` at once


def run() -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ONE_AT_A_TIME})
        connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": ONE_AT_A_TIME})
        connection.commit()


run()

"""The database: one session, one base for all models, moments in UTC."""

import enum
import time
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from psycopg import Error as DriverError
from sqlalchemy import BigInteger, DateTime, Enum, Executable, Identity, MetaData, Text, event
from sqlalchemy.dialects.postgresql import JSONB, psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.sql.compiler import SQLCompiler

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Json = dict[str, Any]  # the shape of a JSON column is told where it is declared


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,  # a new state is a new word, not a change of type
            length=32,
            values_callable=lambda states: [state.value for state in states],
        ),
    }


db = SQLAlchemy(
    metadata=Base.metadata,
    engine_options={
        "connect_args": {"options": "-c timezone=utc", "connect_timeout": 10},
    },
)


IDLE = 0.1  # seconds after which a connection may have died unseen; the hot path comes back sooner


@event.listens_for(Pool, "checkin")
def _was_used(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _is_alive(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Ask a connection that was idle whether it still works: asking always is one more trip a transaction."""
    used_at = record.info.get("used_at")
    if used_at is None or time.monotonic() - used_at < IDLE:
        return
    try:
        _DIALECT.do_ping(connection)
    except DriverError:
        raise InvalidatePoolError from None  # none of the others will be better: the pool opens new ones


class Rehearsed:
    """A statement for the hot path: compiled once, and given to the driver as it is.

    For what runs once for every hundred messages the layers above the driver would cost more than the database. It runs
    in the transaction of the session. What differs from call to call is a `bindparam` without a value.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def rows(self, **values: object) -> list[tuple[Any, ...]]:
        connection = db.session.connection().connection.driver_connection
        assert connection is not None  # an open transaction has one
        with connection.cursor(binary=True) as cursor:
            cursor.execute(self._sql, self._constants | values, prepare=True)
            return list(cursor.fetchall()) if cursor.description else []

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]  # all statements have it
        assert isinstance(compiled, SQLCompiler)
        return compiled

    @cached_property
    def _sql(self) -> str:
        return str(self._compiled)

    @cached_property
    def _constants(self) -> dict[str, object]:
        """The values that stand in the statement itself."""
        constants = {name: bind for name, bind in self._compiled.binds.items() if bind.value is not None}
        processors = {
            name: bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name, bind in constants.items()
        }
        return {
            name: processor(bind.value) if (processor := processors[name]) else bind.value
            for name, bind in constants.items()
        }


def array(values: Iterable[object]) -> str:
    """Numbers or plain words as PostgreSQL writes an array: the driver takes longer over a list than the statement."""
    return f"{{{','.join(map(str, values))}}}"


def array_of_texts(texts: Iterable[str]) -> str:
    """The same for any words."""
    escaped = [each.replace("\\", "\\\\").replace('"', '\\"') for each in texts]
    return '{"' + '","'.join(escaped) + '"}' if escaped else "{}"


_DIALECT: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]  # without types in its stubs

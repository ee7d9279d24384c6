"""The database: one session, one base for all models, moments in UTC."""

import enum
from datetime import datetime
from typing import Annotated, Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Enum, Identity, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

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
        "pool_pre_ping": True,
        "connect_args": {"options": "-c timezone=utc", "connect_timeout": 10},
    },
)

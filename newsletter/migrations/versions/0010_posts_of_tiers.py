"""posts for the holders of chosen tiers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for table in ("post", "mailing"):
        op.add_column(
            table,
            sa.Column("tier_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        )


def downgrade() -> None:
    for table in ("mailing", "post"):
        op.drop_column(table, "tier_ids")

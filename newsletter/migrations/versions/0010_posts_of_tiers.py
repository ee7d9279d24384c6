"""posts for the holders of chosen tiers, and each reader's private feed."""

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
    op.add_column("subscriber", sa.Column("feed_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("subscriber", sa.Column("feed_number", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("subscriber", "feed_number")
    op.drop_column("subscriber", "feed_since")
    for table in ("mailing", "post"):
        op.drop_column(table, "tier_ids")

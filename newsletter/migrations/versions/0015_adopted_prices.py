"""subscriptions from elsewhere: prices there that our tiers stand for, and what each membership pays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "adopted_price",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_adopted_price_account_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_adopted_price_tier_id")),
        sa.PrimaryKeyConstraint("account_id", "reference", name=op.f("pk_adopted_price")),
    )
    op.add_column("reconciliation", sa.Column("elsewhere", JSONB(), server_default="[]", nullable=False))
    op.add_column("membership", sa.Column("price_reference", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "membership",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("membership", "created_at")
    op.drop_column("membership", "price_reference")
    op.drop_column("reconciliation", "elsewhere")
    op.drop_table("adopted_price")

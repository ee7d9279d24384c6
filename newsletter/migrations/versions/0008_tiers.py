"""what tiers cost and bring, and how a reader came to hold one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("tier", sa.Column("benefits", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("tier", sa.Column("trial_days", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("tier", sa.Column("is_minimum", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("tier", sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tier", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "price",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tier_id", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.Enum("month", "year", name="cadence", native_enum=False, length=32), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_price_costs_something")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_price_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
    )
    op.create_index(
        "uq_price_now",
        "price",
        ["tier_id", "cadence", "currency"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.add_column(
        "membership",
        sa.Column(
            "kind",
            sa.Enum("complimentary", name="membershipkind", native_enum=False, length=32),
            server_default="complimentary",  # all there are were given by hand
            nullable=False,
        ),
    )


def downgrade() -> None:
    op.drop_column("membership", "kind")
    op.drop_table("price")
    for column in ("archived_at", "hidden_at", "is_minimum", "trial_days", "benefits"):
        op.drop_column("tier", column)

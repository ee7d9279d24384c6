"""new prices for those who pay earlier ones."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "repricing",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("price_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["price_id"], ["price.id"], name=op.f("fk_repricing_price_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repricing")),
    )
    op.create_index(op.f("ix_repricing_price_id"), "repricing", ["price_id"])
    op.create_table(
        "repriced",
        sa.Column("repricing_id", sa.BigInteger(), nullable=False),
        sa.Column("membership_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["repricing_id"], ["repricing.id"], name=op.f("fk_repriced_repricing_id")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_repriced_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("repricing_id", "membership_id", name=op.f("pk_repriced")),
    )
    op.create_index(op.f("ix_repriced_membership_id"), "repriced", ["membership_id"])


def downgrade() -> None:
    op.drop_table("repriced")
    op.drop_table("repricing")

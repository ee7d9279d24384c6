"""tiers for less."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("percent", "amount", "trial", name="offerkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("percent", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column(
            "lasts",
            sa.Enum("once", "months", "forever", name="offerlasts", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("months", sa.BigInteger(), nullable=True),
        sa.Column("tier_id", sa.BigInteger(), nullable=True),
        sa.Column("cadence", sa.Enum("month", "year", name="cadence", native_enum=False, length=32), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_for_new", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_offer_publication_id")),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_offer_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("publication_id", "code", name=op.f("uq_offer_publication_id_code")),
    )
    op.create_table(
        "redemption",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_redemption_offer_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_redemption_subscriber_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_redemption_membership_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
    )
    op.create_index("ix_redemption_offer_id", "redemption", ["offer_id"])
    op.create_index(op.f("ix_redemption_subscriber_id"), "redemption", ["subscriber_id"])
    op.add_column("billing_terms", sa.Column("retention_offer_id", sa.BigInteger(), nullable=True))
    op.add_column("billing_terms", sa.Column("win_back_offer_id", sa.BigInteger(), nullable=True))
    op.add_column("billing_terms", sa.Column("win_back_days", sa.BigInteger(), server_default="30", nullable=False))
    op.create_foreign_key(
        op.f("fk_billing_terms_retention_offer_id"), "billing_terms", "offer", ["retention_offer_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_billing_terms_win_back_offer_id"), "billing_terms", "offer", ["win_back_offer_id"], ["id"]
    )


def downgrade() -> None:
    for column in ("win_back_days", "win_back_offer_id", "retention_offer_id"):
        op.drop_column("billing_terms", column)
    op.drop_table("redemption")
    op.drop_table("offer")

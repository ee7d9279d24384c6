"""the life of a membership, and what the payment provider told us of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "told",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("about", "occasion", name=op.f("pk_told")),
    )
    op.create_table(
        "billing_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_hook_secret", sa.LargeBinary(), nullable=False),
        sa.Column("hook_reference", sa.Text(), nullable=False),
        sa.Column("portal_reference", sa.Text(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("trouble_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_billing_account_publication_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_account")),
    )
    op.create_index(
        "uq_billing_account_now",
        "billing_account",
        ["publication_id"],
        unique=True,
        postgresql_where=sa.text("disconnected_at IS NULL"),
    )
    op.create_table(
        "billing_terms",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("grace_days", sa.BigInteger(), server_default="14", nullable=False),
        sa.Column(
            "tax_behavior",
            sa.Enum("unspecified", "inclusive", "exclusive", name="taxbehavior", native_enum=False, length=32),
            server_default="unspecified",
            nullable=False,
        ),
        sa.Column("is_tax_automatic", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("supporter_minimum", sa.BigInteger(), nullable=True),
        sa.Column("supporter_currency", sa.Text(), server_default="EUR", nullable=False),
        sa.Column("is_author_told", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_carried_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_billing_terms_publication_id")),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_billing_terms")),
    )
    op.create_table(
        "counterpart",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("tier", "price", "offer", name="counterpartkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("our_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_counterpart_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "our_id", name=op.f("pk_counterpart")),
        sa.UniqueConstraint("account_id", "reference", name=op.f("uq_counterpart_account_id_reference")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("card_brand", sa.Text(), nullable=False),
        sa.Column("card_last4", sa.Text(), nullable=False),
        sa.Column("card_expires", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_customer_account_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_customer_subscriber_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("account_id", "reference", name=op.f("uq_customer_account_id_reference")),
    )
    op.create_index(op.f("ix_customer_subscriber_id"), "customer", ["subscriber_id"], unique=False)
    op.create_table(
        "payment_event",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("hints", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_payment_event_account_id")),
        sa.PrimaryKeyConstraint("account_id", "reference", name=op.f("pk_payment_event")),
    )
    op.create_index(
        "ix_payment_event_due",
        "payment_event",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_index("ix_payment_event_received_at", "payment_event", ["received_at"], unique=False)
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared", sa.BigInteger(), nullable=False),
        sa.Column("differences", postgresql.JSONB(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_reconciliation_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_table(
        "membership_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("tier_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "trial",
                "new",
                "upgraded",
                "downgraded",
                "cancelled",
                "kept",
                "failing",
                "recovered",
                "paused",
                "resumed",
                "ended",
                "returned",
                name="changekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("monthly_before", sa.BigInteger(), nullable=False),
        sa.Column("monthly_after", sa.BigInteger(), nullable=False),
        sa.Column("cadence", sa.Enum("month", "year", name="cadence", native_enum=False, length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_membership_change_membership_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_membership_change_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_change")),
    )
    op.create_index("ix_membership_change_at", "membership_change", ["at"], unique=False)
    op.create_index("ix_membership_change_membership_id_at", "membership_change", ["membership_id", "at"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("membership", "gift", "support", "other", name="paymentkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("membership_id", sa.BigInteger(), nullable=True),
        sa.Column("tier_id", sa.BigInteger(), nullable=True),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("fee_currency", sa.Text(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("invoice_url", sa.Text(), nullable=False),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["billing_account.id"], name=op.f("fk_payment_account_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_payment_customer_id")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_payment_membership_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_payment_subscriber_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tier_id"], ["tier.id"], name=op.f("fk_payment_tier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("account_id", "reference", name=op.f("uq_payment_account_id_reference")),
    )
    op.create_index("ix_payment_at", "payment", ["at"], unique=False)
    op.create_index("ix_payment_charge", "payment", ["charge"], unique=False)
    op.create_index("ix_payment_subscriber_id", "payment", ["subscriber_id"], unique=False)
    op.add_column(
        "membership",
        sa.Column(
            "state",
            sa.Enum(
                "trialing",
                "active",
                "past_due",
                "unpaid",
                "cancelled",
                "paused",
                "ended",
                name="membershipstate",
                native_enum=False,
                length=32,
            ),
            server_default="active",
            nullable=False,
        ),
    )
    op.add_column("membership", sa.Column("reference", sa.Text(), nullable=True))
    op.add_column("membership", sa.Column("customer_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "membership",
        sa.Column("cadence", sa.Enum("month", "year", name="cadence", native_enum=False, length=32), nullable=True),
    )
    op.add_column("membership", sa.Column("currency", sa.Text(), nullable=True))
    op.add_column("membership", sa.Column("amount", sa.BigInteger(), nullable=True))
    op.add_column("membership", sa.Column("seats", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("membership", sa.Column("paid_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("cancelled_for", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("cancel_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("membership", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("is_imported", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("membership", sa.Column("post_id", sa.BigInteger(), nullable=True))
    op.add_column("membership", sa.Column("group_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_membership_customer_id", "membership", ["customer_id"], unique=False)
    op.create_index(
        "ix_membership_group_id",
        "membership",
        ["group_id"],
        unique=False,
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_unique_constraint(op.f("uq_membership_reference"), "membership", ["reference"])
    op.create_foreign_key(op.f("fk_membership_customer_id"), "membership", "customer", ["customer_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_membership_group_id"), "membership", "membership", ["group_id"], ["id"], ondelete="CASCADE"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_membership_group_id"), "membership", type_="foreignkey")
    op.drop_constraint(op.f("fk_membership_customer_id"), "membership", type_="foreignkey")
    op.drop_constraint(op.f("uq_membership_reference"), "membership", type_="unique")
    op.drop_index("ix_membership_group_id", table_name="membership", postgresql_where=sa.text("group_id IS NOT NULL"))
    op.drop_index("ix_membership_customer_id", table_name="membership")
    op.drop_column("membership", "group_id")
    op.drop_column("membership", "post_id")
    op.drop_column("membership", "is_imported")
    op.drop_column("membership", "ended_at")
    op.drop_column("membership", "paused_until")
    op.drop_column("membership", "cancel_reason")
    op.drop_column("membership", "cancelled_for")
    op.drop_column("membership", "cancelled_at")
    op.drop_column("membership", "failing_since")
    op.drop_column("membership", "trial_ends_at")
    op.drop_column("membership", "paid_until")
    op.drop_column("membership", "seats")
    op.drop_column("membership", "amount")
    op.drop_column("membership", "currency")
    op.drop_column("membership", "cadence")
    op.drop_column("membership", "customer_id")
    op.drop_column("membership", "reference")
    op.drop_column("membership", "state")
    op.drop_index("ix_payment_subscriber_id", table_name="payment")
    op.drop_index("ix_payment_charge", table_name="payment")
    op.drop_index("ix_payment_at", table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_membership_change_membership_id_at", table_name="membership_change")
    op.drop_index("ix_membership_change_at", table_name="membership_change")
    op.drop_table("membership_change")
    op.drop_table("reconciliation")
    op.drop_index("ix_payment_event_received_at", table_name="payment_event")
    op.drop_index("ix_payment_event_due", table_name="payment_event", postgresql_where=sa.text("taken_at IS NULL"))
    op.drop_table("payment_event")
    op.drop_index(op.f("ix_customer_subscriber_id"), table_name="customer")
    op.drop_table("customer")
    op.drop_table("counterpart")
    op.drop_table("billing_terms")
    op.drop_index(
        "uq_billing_account_now", table_name="billing_account", postgresql_where=sa.text("disconnected_at IS NULL")
    )
    op.drop_table("billing_account")
    op.drop_table("told")

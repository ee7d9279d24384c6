"""what comes back, and the lanes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "ix_subscription_left_by_mailing_id",
        "subscription",
        ["left_by_mailing_id"],
        unique=False,
        postgresql_where=sa.text("left_by_mailing_id IS NOT NULL"),
    )
    op.drop_constraint("fk_delivery_mailing_id", "delivery")
    op.alter_column("chunk", "send_after", nullable=True, server_default=None)
    op.execute("UPDATE chunk SET send_after = NULL WHERE send_after <= now()")  # at once, whatever a clock says
    op.add_column("mailing", sa.Column("breaker_off_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "bounce",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("hard", "soft", "blocked", "complaint", name="bouncekind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("notice_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_bounce_mailing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
    )
    op.create_index("ix_bounce_mailing_id_kind", "bounce", ["mailing_id", "kind"], unique=False)
    op.create_index("ix_bounce_subscriber_id_at", "bounce", ["subscriber_id", "at"], unique=False)
    op.create_index("uq_bounce_once", "bounce", ["mailing_id", "subscriber_id", "kind"], unique=True)
    op.create_table(
        "inbound_event",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_inbound_event")),
    )
    op.create_index(op.f("ix_inbound_event_at"), "inbound_event", ["at"], unique=False)
    op.create_table(
        "inbound_tally",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", "hour", name=op.f("pk_inbound_tally")),
    )
    op.create_table(
        "reply",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_reply_mailing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    op.create_index("ix_reply_mailing_id_at", "reply", ["mailing_id", "at"], unique=False)
    op.create_table(
        "lane",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pace", sa.Float(), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lane")),
    )
    op.create_table(
        "lane_use",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "hour", name=op.f("pk_lane_use")),
    )

    op.create_table(
        "doubt",
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("resent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["mailing_id"], ["mailing.id"], name=op.f("fk_doubt_mailing_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mailing_id", "subscriber_id", name=op.f("pk_doubt")),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_subscription_left_by_mailing_id",
        table_name="subscription",
        postgresql_where=sa.text("left_by_mailing_id IS NOT NULL"),
    )
    op.drop_table("doubt")
    op.drop_table("lane_use")
    op.drop_table("lane")
    op.drop_index("ix_reply_mailing_id_at", table_name="reply")
    op.drop_table("reply")
    op.drop_table("inbound_tally")
    op.drop_index(op.f("ix_inbound_event_at"), table_name="inbound_event")
    op.drop_table("inbound_event")
    op.drop_index("uq_bounce_once", table_name="bounce")
    op.drop_index("ix_bounce_subscriber_id_at", table_name="bounce")
    op.drop_index("ix_bounce_mailing_id_kind", table_name="bounce")
    op.drop_table("bounce")
    op.drop_column("mailing", "breaker_off_at")
    op.execute("DELETE FROM delivery WHERE NOT EXISTS (SELECT FROM mailing WHERE mailing.id = delivery.mailing_id)")
    op.create_foreign_key("fk_delivery_mailing_id", "delivery", "mailing", ["mailing_id"], ["id"], ondelete="CASCADE")
    op.execute("UPDATE chunk SET send_after = now() WHERE send_after IS NULL")
    op.alter_column("chunk", "send_after", nullable=False, server_default=sa.text("now()"))

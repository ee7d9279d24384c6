"""what the checks of a post found, and what its author said to it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tick",
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_tick_post_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["staff.id"], name=op.f("fk_tick_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("post_id", "key", name=op.f("pk_tick")),
    )
    op.create_table(
        "link_check",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column(
            "state", sa.Enum("alive", "dead", "unknown", name="linkstate", native_enum=False, length=32), nullable=False
        ),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_link_check")),
    )
    op.create_table(
        "spam_check",
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("rules", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_spam_check_revision_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_spam_check")),
    )


def downgrade() -> None:
    op.drop_table("spam_check")
    op.drop_table("link_check")
    op.drop_table("tick")

"""votes on the questions of posts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "poll_vote",
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("poll", sa.Text(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("answer", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_poll_vote_post_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "poll", "voter", name=op.f("pk_poll_vote")),
    )


def downgrade() -> None:
    op.drop_table("poll_vote")

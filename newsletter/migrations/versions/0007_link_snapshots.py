"""what pages elsewhere said of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "link_snapshot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("wanted", "read", "failed", name="linkstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("publication", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("image_id", sa.BigInteger(), nullable=True),
        sa.Column("logo_id", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_link_snapshot_publication_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_link_snapshot_post_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["image_id"], ["media.id"], name=op.f("fk_link_snapshot_image_id")),
        sa.ForeignKeyConstraint(["logo_id"], ["media.id"], name=op.f("fk_link_snapshot_logo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_snapshot")),
        sa.UniqueConstraint("publication_id", "url", name=op.f("uq_link_snapshot_publication_id")),
    )
    op.create_index(
        "ix_link_snapshot_next_try_at",
        "link_snapshot",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("state = 'wanted'"),
    )


def downgrade() -> None:
    op.drop_table("link_snapshot")

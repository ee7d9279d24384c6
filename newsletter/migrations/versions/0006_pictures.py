"""pictures lie in a storage, in several renderings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.alter_column("media", "content", nullable=True)
    op.add_column("media", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column("media", sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("media", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_media_unfinished", "media", ["id"], unique=False, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "media_file",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("mail", "page", "still", "master", name="mediapurpose", native_enum=False, length=32),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_media_file_media_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_media_file")),
    )
    op.create_index(op.f("ix_media_file_media_id"), "media_file", ["media_id"], unique=False)
    # Those there are stay where they are, in the database: nothing needs the storage to be set up for them.
    op.execute("UPDATE media SET finished_at = created_at")
    op.execute(
        "INSERT INTO media_file (name, media_id, content_type, width, height, size, purpose)"
        " SELECT key || '.png', id, content_type, width, height, length(content), 'mail' FROM media"
    )


def downgrade() -> None:
    """Takes only what is in the database back: pictures in the storage would have no row to be found by."""
    op.drop_index(op.f("ix_media_file_media_id"), table_name="media_file")
    op.drop_table("media_file")
    op.execute("DELETE FROM media WHERE content IS NULL")
    op.drop_index("ix_media_unfinished", table_name="media", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_column("media", "finished_at")
    op.drop_column("media", "tries")
    op.drop_column("media", "name")
    op.alter_column("media", "content", nullable=False)

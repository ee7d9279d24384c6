"""how a publication looks, and what becomes of letters that are too long."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CHOICES = {
    "faces": ("serif", "sans"),
    "header": ("left", "centred", "logo", "rule"),
    "headings": ("plain", "ruled", "small"),
    "quotes": ("line", "large", "ground"),
    "cards": ("box", "rules", "ground"),
    "long_mail": ("fold", "whole"),
}
TYPES = {"long_mail": "longmail"}


def upgrade() -> None:
    for column, values in CHOICES.items():
        kind = sa.Enum(*values, name=TYPES.get(column, column), native_enum=False, length=32)
        op.add_column("publication", sa.Column(column, kind, nullable=False, server_default=values[0]))
        op.alter_column("publication", column, server_default=None)
    op.add_column("publication", sa.Column("logo_dark_key", sa.Text(), nullable=True))
    op.add_column("publication", sa.Column("footer", sa.Text(), nullable=False, server_default=""))
    op.alter_column("publication", "footer", server_default=None)


def downgrade() -> None:
    for column in (*CHOICES, "logo_dark_key", "footer"):
        op.drop_column("publication", column)

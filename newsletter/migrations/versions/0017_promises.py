"""the letter by which a payer was told of a new price, and what is paid without discounts."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("membership", sa.Column("full_amount", sa.BigInteger(), nullable=True))
    op.add_column("repriced", sa.Column("notice_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_repriced_notice_id"), "repriced", "notice", ["notice_id"], ["id"], ondelete="SET NULL"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_repriced_notice_id"), "repriced", type_="foreignkey")
    op.drop_column("repriced", "notice_id")
    op.drop_column("membership", "full_amount")

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
    op.create_index(op.f("ix_repriced_notice_id"), "repriced", ["notice_id"])
    # Both were written in one transaction; who was told by a letter that is not there any more is told anew.
    op.execute("""
        UPDATE repriced SET notice_id = (
            SELECT max(notice.id) FROM notice
            JOIN membership ON membership.subscriber_id = notice.subscriber_id
            WHERE membership.id = repriced.membership_id AND notice.kind = 'price_change'
              AND notice.values ->> 'is_off' = 'false'
              AND notice.created_at BETWEEN repriced.told_at - interval '1 minute' AND repriced.told_at + interval '1 minute'
        ) WHERE applied_at IS NULL
    """)
    op.execute("DELETE FROM repriced WHERE applied_at IS NULL AND notice_id IS NULL")


def downgrade() -> None:
    op.drop_index(op.f("ix_repriced_notice_id"), table_name="repriced")
    op.drop_constraint(op.f("fk_repriced_notice_id"), "repriced", type_="foreignkey")
    op.drop_column("repriced", "notice_id")
    op.drop_column("membership", "full_amount")

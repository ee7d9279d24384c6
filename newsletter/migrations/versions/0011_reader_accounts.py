"""readers sign in: what they asked for, and where they are signed in."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

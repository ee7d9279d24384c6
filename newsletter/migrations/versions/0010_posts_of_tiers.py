"""posts for the holders of chosen tiers, and each reader's private feed."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

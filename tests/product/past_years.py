"""Writes fourteen months of other readers' memberships and payments into the books, with no names left.

python -m tests.product.past_years
"""

from datetime import timedelta

from newsletter import clock
from newsletter.app import create_app
from newsletter.billing.models import Account, ChangeKind, MembershipChange, Payment, PaymentKind
from newsletter.db import db
from newsletter.tiers.models import Cadence, Tier

COSTS = {Cadence.MONTH: 500_000, Cadence.YEAR: 416_666}  # a month, in thousandths of a cent
REASONS = ("Too many letters", "I moved, and the new house eats it all. Back in spring", "")

with create_app().app_context():
    account, tier = Account.connected(), next(tier for tier in Tier.on_offer() if tier.prices)
    assert account
    for ago in range(14, 0, -1):
        at = clock.now() - timedelta(days=30 * ago)
        for number in range(20 - ago):
            cadence = Cadence.YEAR if number % 3 == 0 else Cadence.MONTH
            is_leaving = number % 5 == 4
            change = MembershipChange(tier_id=tier.id, at=at, currency="EUR", cadence=cadence)
            change.kind = ChangeKind.CANCELLED if is_leaving else ChangeKind.NEW
            change.monthly_before = COSTS[cadence] if is_leaving else 0
            change.monthly_after = COSTS[cadence] - change.monthly_before
            change.reason = REASONS[ago % 3] if is_leaving else ""
            db.session.add(change)
            if is_leaving:
                ended = MembershipChange(tier_id=tier.id, at=at, currency="EUR", cadence=cadence, kind=ChangeKind.ENDED)
                ended.monthly_before, ended.monthly_after = COSTS[cadence], 0
                change.monthly_after = COSTS[cadence]
                db.session.add(ended)
            amount = 5000 if cadence is Cadence.YEAR else 500
            paid = Payment(account_id=account.id, reference=f"past-{ago}-{number}", kind=PaymentKind.MEMBERSHIP, at=at)
            paid.currency, paid.amount, paid.fee, paid.fee_currency = "EUR", amount, amount // 66 + 25, "EUR"
            paid.tier_id, paid.refunded = tier.id, amount if number == 7 else 0
            db.session.add(paid)
    db.session.commit()

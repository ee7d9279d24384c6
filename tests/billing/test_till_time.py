"""The practice till's own time: months that were lived before it opened, and days that pass while it stands open."""

import time
from pathlib import Path

from sqlalchemy import select

from newsletter.billing import counterparts, reconciling
from newsletter.billing.models import MembershipChange, Payment
from newsletter.db import db
from newsletter.subscribers.models import Notice
from newsletter.tiers.models import Cadence, Membership, MembershipState, Price
from newsletter.up.processes import wait_until
from newsletter.up.till import serve
from newsletter.up.till.state import DAY
from tests import factories
from tests.billing.conftest import KEY, House, serve_pages


def test_payers_of_earlier_months_are_there_and_nobody_was_rung_up(house: House) -> None:
    reader = factories.subscriber("grace@example.com")
    db.session.commit()
    price = db.session.scalars(select(Price).where(Price.cadence == Cadence.MONTH)).one()
    payer: dict[str, object] = {"email": reader.email, "name": "Grace", "subscriber": reader.id, "days": 100}
    payer["price"] = counterparts.of_price(house.account, house.stripe, price)
    till = serve_pages(house.till)

    assert till.post("/practice/payers", json={"payers": [payer]}).status_code == 401
    made = till.post("/practice/payers", json={"payers": [payer]}, headers={"Authorization": f"Bearer {KEY}"})

    assert made.json == {"made": 1}
    assert house.rung == []
    assert [invoice["status"] for invoice in house.till.all("invoice")] == ["paid"] * 4
    reconciling.reconcile(house.account, house.stripe)
    membership = db.session.scalars(select(Membership)).one()
    assert (membership.subscriber_id, membership.state) == (reader.id, MembershipState.ACTIVE)
    assert db.session.scalars(select(MembershipChange.at)).all() == [membership.started_at]
    assert db.session.scalars(select(Payment.amount)).all() == [500]  # that of the last five weeks
    assert db.session.scalars(select(Notice)).all() == []


def test_while_it_stands_open_days_pass_by_themselves_and_are_kept(house: House, tmp_path: Path) -> None:
    house.buy("grace@example.com")
    house.till.ahead += 32 * DAY
    held = tmp_path / "till.json"

    days = serve.Days(house.till, held, every=0.01)

    assert wait_until(held.exists, 10)
    assert [invoice["status"] for invoice in house.till.all("invoice")] == ["paid"] * 2
    assert len(held.read_text()) > 1000
    before = held.stat().st_mtime_ns
    time.sleep(0.1)
    days.stop()
    assert held.stat().st_mtime_ns == before  # nothing became due: nothing is written

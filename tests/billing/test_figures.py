"""What the author is told of money is what the changes and the books add up to."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter import clock
from newsletter.billing import changes, figures, statement
from newsletter.billing.models import Account, ChangeKind, MembershipChange, Payment, PaymentKind
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.tiers.models import Cadence, Membership, MembershipKind, MembershipState, Tier
from tests import factories
from tests.billing.conftest import House
from tests.doubles import Outbox

BERLIN = ZoneInfo("Europe/Berlin")
STATES = list(MembershipState)


@pytest.fixture
def tier(app: Flask, outbox: Outbox) -> Tier:
    factories.newsletter()
    made = Tier(publication_id=Publication.current().id, slug="patrons", name="Patrons")
    db.session.add(made)
    db.session.flush()
    return made


def paying(tier: Tier, number: int, **given: object) -> Membership:
    reader = factories.subscriber(f"reader{number}@example.com")
    membership = Membership(
        subscriber_id=reader.id,
        tier=tier,
        kind=MembershipKind.PAID,
        reference=f"sub_{number}",
        currency="EUR",
        **{"state": MembershipState.ACTIVE, "cadence": Cadence.MONTH, "amount": 500, **given},
    )
    db.session.add(membership)
    db.session.flush()
    return membership


def change(tier: Tier, at: datetime, before: int, after: int, kind: ChangeKind = ChangeKind.NEW) -> None:
    db.session.add(
        MembershipChange(
            tier_id=tier.id,
            kind=kind,
            at=at,
            currency="EUR",
            monthly_before=before * 1000,
            monthly_after=after * 1000,
            cadence=Cadence.MONTH,
        )
    )
    db.session.flush()


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(STATES),
        st.sampled_from(list(Cadence)),
        st.integers(1, 9999),
        st.booleans(),
    ),
    max_size=15,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whatever_happens_what_is_earned_now_is_what_memberships_are_worth(app: Flask, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with db.session.begin_nested() as savepoint:
        factories.newsletter()
        tier = Tier(publication_id=Publication.current().id, slug="patrons", name="Patrons")
        db.session.add(tier)
        known: dict[int, Membership] = {}
        for who, state, cadence, amount, in_trial in steps:
            until = clock.now() + timedelta(days=20)
            membership = known.get(who)
            was = changes.snapshot(membership) if membership else None
            membership = membership or paying(tier, who)
            membership.state, membership.cadence, membership.amount = state, cadence, amount
            membership.paid_until, membership.trial_ends_at = until, until if in_trial else None
            db.session.flush()
            if was != changes.snapshot(membership):
                changes.record(membership, was, changes.snapshot(membership))
            known[who] = membership

        months = figures.by_month("EUR", BERLIN)
        told = figures.now("EUR", months)
        worth = sum(changes.snapshot(each).monthly for each in known.values())
        assert told.mrr == round(worth / 1000)
        assert (months[-1].mrr if months else 0) == told.mrr
        assert (months[-1].members if months else 0) == told.members
        savepoint.rollback()


def test_months_are_those_of_the_publication_and_have_no_gaps(tier: Tier) -> None:
    start = datetime(2026, 7, 31, 22, 30, tzinfo=UTC)  # in Berlin that is August
    change(tier, start, 0, 500)
    change(tier, start, 0, 300)
    change(tier, datetime(2026, 10, 3, tzinfo=UTC), 300, 0, ChangeKind.ENDED)
    change(tier, datetime(2026, 10, 4, tzinfo=UTC), 500, 200, ChangeKind.DOWNGRADED)

    months = {month.first: month for month in figures.by_month("EUR", BERLIN)}

    assert list(months)[:4] == [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
    assert [months[first].mrr for first in list(months)[:4]] == [800, 800, 200, 200]
    october = months[date(2026, 10, 1)]
    assert (october.joined, october.went, october.members) == (0, 1, 1)
    assert october.churn == 0.5
    assert october.lost_part == 600 / 800
    assert months[date(2026, 8, 1)].churn is None  # there was nobody who could have left
    assert figures.by_month("USD", BERLIN) == []


def test_how_long_readers_stay_is_not_guessed_from_a_few(tier: Tier) -> None:
    begin = clock.now() - timedelta(days=200)
    for _ in range(40):
        change(tier, begin, 0, 500)
    for _ in range(4):
        change(tier, clock.now() - timedelta(days=70), 500, 0, ChangeKind.ENDED)
    assert figures.now("EUR", figures.by_month("EUR", BERLIN)).lifetime is None

    for _ in range(6):
        change(tier, clock.now() - timedelta(days=70), 500, 0, ChangeKind.ENDED)
    lifetime = figures.now("EUR", figures.by_month("EUR", BERLIN)).lifetime
    assert lifetime is not None
    assert lifetime > 500


def test_what_a_post_brought_is_counted_where_readers_chose(house: House) -> None:
    post = factories.post(title="On slow mail")
    price = next(p for t in Tier.in_order() for p in t.prices if p.cadence is Cadence.MONTH)
    answer = house.client.post(f"/support/tiers/{price.id}", data={"post": post.slug})
    from tests.billing.conftest import GOOD, serve_pages

    pages = serve_pages(house.till)
    pages.post(
        f"/checkout/{answer.location.rpartition('/')[2]}",
        data={"email": "grace@example.com", "number": GOOD, "expires": "12/34"},
    )
    house.deliver()

    (brought,) = figures.brought("EUR")
    assert (brought.title, brought.members, brought.mrr) == ("On slow mail", 1, 500)
    now = figures.now("EUR", figures.by_month("EUR", BERLIN))
    assert (now.mrr, now.arr, now.members) == (500, 6000, 1)
    (month,) = figures.books("EUR", BERLIN)
    assert (month.gross, month.fee, month.net) == (500, 33, 467)


def test_the_list_for_the_tax_adviser_is_exact_and_harmless(tier: Tier) -> None:
    account = Account(
        publication_id=tier.publication_id, reference="acct_1", is_live=False, sealed_key=b"", sealed_hook_secret=b""
    )
    reader = factories.subscriber("=cmd@example.com", name='=HYPERLINK("https://evil.example")')
    db.session.add(account)
    db.session.flush()
    at = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # the first of April in Berlin
    for number, (currency, amount) in enumerate((("EUR", 595), ("JPY", 700))):
        db.session.add(
            Payment(
                account_id=account.id,
                reference=f"in_{number}",
                number=f"-AB-{number}",
                kind=PaymentKind.MEMBERSHIP,
                subscriber_id=reader.id if number == 0 else None,
                tier_id=tier.id,
                at=at,
                currency=currency,
                amount=amount,
                tax=95 if number == 0 else 0,
                fee=34,
                fee_currency="EUR",
                refunded=100 if number == 0 else 0,
                country="DE",
            )
        )
    db.session.flush()

    rows = list(csv.DictReader(io.StringIO("".join(statement.lines(date(2026, 4, 1), date(2026, 4, 1), BERLIN)))))

    euros, yen = rows
    assert (euros["Date"], euros["Gross"], euros["Tax"], euros["Fee"], euros["Refunded"], euros["Net"]) == (
        *("2026-04-01", "5.95", "0.95", "0.34", "1.00", "3.66"),
    )
    assert (yen["Gross"], yen["Fee"], yen["Fee currency"], yen["Net"]) == ("700", "0.34", "EUR", "700")
    assert yen["Reader"] == "erased"
    assert all(
        not cell.startswith(("=", "+", "@")) and not cell.startswith("-A") for row in rows for cell in row.values()
    )
    assert list(statement.lines(date(2026, 3, 1), date(2026, 3, 31), BERLIN))[1:] == []

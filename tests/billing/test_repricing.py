"""A new price for those who pay an earlier one: told a month before, charged as told, or called off."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter import clock
from newsletter.billing import keeping, plans, reconciling, repricing, rounds
from newsletter.billing.models import Account, ChangeKind, MembershipChange, Payment, Repriced, Repricing
from newsletter.billing.repricing import CannotReprice
from newsletter.billing.stripe import Stripe, TurnedDown
from newsletter.db import db
from newsletter.public.account import holding
from newsletter.publication.models import Publication
from newsletter.publication.settings import BadSetting
from newsletter.sending.models import Bounce, BounceKind
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState, Subscriber
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Membership, Price, Tier
from tests.admin.conftest import desk, ken, seen
from tests.billing.conftest import House
from tests.billing.test_adopting import elsewhere, payer, take_over
from tests.billing.test_plans import later

__all__ = ["desk", "ken"]
GRACE = "grace@example.com"


@pytest.fixture
def weekly(house: House) -> None:
    """The desk's owner comes to a publication that is there."""


def patrons() -> Tier:
    return db.session.scalars(select(Tier)).unique().one()


def dearer(month: int = 600, year: int = 6000) -> Price:
    """The author asks more of those who come from now on."""
    catalogue.change(
        patrons(), Listing(name="Patrons", prices={(Cadence.MONTH, "EUR"): month, (Cadence.YEAR, "EUR"): year})
    )
    db.session.commit()
    return next(each for each in patrons().prices if each.cadence is Cadence.MONTH)


def announce(house: House, price: Price) -> None:
    repricing.announce(house.account, price, repricing.earliest())
    db.session.commit()
    rounds.keep_memberships()


def held() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership)).unique().one()


def letters() -> list[Notice]:
    query = select(Notice).where(Notice.kind == NoticeKind.PRICE_CHANGE)
    return list(db.session.scalars(query.order_by(Notice.id)))


def letters_leave(state: NoticeState = NoticeState.ACCEPTED) -> None:
    db.session.execute(
        update(Notice).where(Notice.state == NoticeState.WAITING).values(state=state, ended_at=clock.now())
    )
    db.session.commit()


def months_pass(house: House, monkeypatch: pytest.MonkeyPatch, days: int, *, mail_works: bool = True) -> list[int]:
    """Day by day, with our rounds; what was charged, oldest first."""
    for _ in range(days):
        later(house, monkeypatch, 1)
        rounds.keep_memberships()
        if mail_works:
            letters_leave()
    return list(db.session.scalars(select(Payment.amount).order_by(Payment.at, Payment.id)))


def test_who_pays_an_earlier_price_goes_on_paying_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()

    (standing,) = repricing.standings(house.account, patrons())

    assert (standing.price, standing.payers, standing.running) == (price, 1, None)
    assert months_pass(house, monkeypatch, 70) == [500, 500, 500]
    assert letters() == []


def test_each_is_told_their_day_and_charged_as_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    began = clock.now()
    announce(house, dearer())
    assert letters() == []  # two months before it would be forgotten

    months_pass(house, monkeypatch, 20)
    (letter,) = letters()
    assert (letter.address, letter.values["new_amount"]) == (GRACE, "€6.00 a month")
    told = db.session.scalars(select(Repriced)).one()
    assert told.due_at >= max(began + timedelta(days=30), letter.created_at + timedelta(days=30))
    assert letter.values["amount"] == "€5.00 a month"
    rounds.keep_memberships()
    assert len(letters()) == 1

    assert months_pass(house, monkeypatch, 75) == [500, 500, 600, 600]  # one more of the old price: the month's notice
    charged = db.session.scalars(select(Payment.at).where(Payment.amount == 600).order_by(Payment.at)).first()
    assert charged
    assert charged >= told.due_at - timedelta(hours=1)
    assert held().amount == 600
    assert reconciling.reconcile(house.account, house.stripe).differences == []
    kinds = set(db.session.scalars(select(MembershipChange.kind)))
    assert kinds == {ChangeKind.NEW, ChangeKind.ADJUSTED}  # nobody went up by their own doing
    assert not db.session.scalar(select(Notice.id).where(Notice.kind == NoticeKind.MEMBERSHIP_CHANGED))
    assert repricing.standings(house.account, patrons()) == []


def test_who_pays_by_the_year_is_told_when_it_comes_near(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE, cadence=Cadence.YEAR)
    house.deliver()
    dearer()
    price = next(each for each in patrons().prices if each.cadence is Cadence.YEAR)
    announce(house, price)
    assert letters() == []

    months_pass(house, monkeypatch, 1)
    later(house, monkeypatch, 310)
    rounds.keep_memberships()
    assert letters() == []
    later(house, monkeypatch, 12)
    rounds.keep_memberships()
    letters_leave()

    (letter,) = letters()
    assert letter.values["new_amount"] == "€60.00 a year"
    assert months_pass(house, monkeypatch, 50) == [5000, 6000]


def test_who_cancels_before_pays_nothing_of_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 40)

    plans.cancel(house.account, house.stripe, held())
    db.session.commit()

    assert months_pass(house, monkeypatch, 40) == [500, 500]


def test_a_price_that_is_called_off_stays_and_they_hear_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()
    announce(house, price)
    months_pass(house, monkeypatch, 20)
    running = repricing.running_for(house.account, price)
    assert running

    repricing.call_off(house.account, running)
    repricing.call_off(house.account, running)
    db.session.commit()

    assert [letter.values["is_off"] for letter in letters()] == [False, True]
    assert months_pass(house, monkeypatch, 50) == [500, 500, 500]


def test_a_letter_that_never_left_promises_nothing_and_is_written_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 35, mail_works=False)
    (lost,) = letters()
    first_day = db.session.scalars(select(Repriced.due_at)).one()

    letters_leave(NoticeState.EXPIRED)
    months_pass(house, monkeypatch, 28)
    assert clock.now() > first_day
    assert months_pass(house, monkeypatch, 1) == [500, 500, 500]

    again = letters()[-1]
    assert again.id != lost.id
    assert db.session.scalars(select(Repriced.due_at)).one() > first_day
    assert months_pass(house, monkeypatch, 40)[-1] == 600


def test_who_is_never_written_to_goes_on_at_the_old_price(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 20, mail_works=False)
    letters_leave(NoticeState.SKIPPED)

    assert set(months_pass(house, monkeypatch, 80)) == {500}
    assert len(letters()) == 1
    (standing,) = repricing.standings(house.account, patrons())
    assert (standing.told, standing.applied, standing.unreached) == (0, 0, 1)


def test_a_letter_that_came_back_promises_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 20)
    (letter,) = letters()
    db.session.add(Bounce(kind=BounceKind.SOFT, notice_id=letter.id, subscriber_id=letter.subscriber_id, source="mail"))
    db.session.commit()

    assert set(months_pass(house, monkeypatch, 80)) == {500}
    (standing,) = repricing.standings(house.account, patrons())
    assert (standing.told, standing.unreached) == (0, 1)
    assert "From" not in holding.holdings(db.session.scalars(select(Subscriber)).one())[0].sentence


def test_a_year_later_last_years_letter_is_not_enough(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE, cadence=Cadence.YEAR)
    house.deliver()
    dearer()
    announce(house, next(each for each in patrons().prices if each.cadence is Cadence.YEAR))
    later(house, monkeypatch, 330)
    rounds.keep_memberships()
    assert len(letters()) == 1
    later(house, monkeypatch, 20)
    letters_leave()  # two weeks before the payment: too late for it
    assert months_pass(house, monkeypatch, 30) == [5000, 5000]

    later(house, monkeypatch, 280)
    assert months_pass(house, monkeypatch, 40)[-1] == 5000
    assert len(letters()) == 2
    assert months_pass(house, monkeypatch, 40)[-1] == 6000


def test_a_letter_that_left_late_is_heeded_from_the_payment_after(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 20, mail_works=False)
    due_at = db.session.scalars(select(Repriced.due_at)).one()
    while clock.now() < due_at - timedelta(days=25):
        months_pass(house, monkeypatch, 1, mail_works=False)
    letters_leave()

    charged = months_pass(house, monkeypatch, 75)
    assert charged[:4] == [500, 500, 500, 600]


def test_what_is_called_off_in_the_middle_of_a_round_is_not_charged(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()
    announce(house, price)
    months_pass(house, monkeypatch, 20)
    running = repricing.running_for(house.account, price)
    assert running
    refresh = keeping.refresh

    def the_owner_is_quicker(account: Account, stripe: Stripe, reference: str) -> Membership | None:
        repricing.call_off(account, running)
        return refresh(account, stripe, reference)

    monkeypatch.setattr(keeping, "refresh", the_owner_is_quicker)

    assert months_pass(house, monkeypatch, 50) == [500, 500, 500]


def test_a_round_that_dies_after_it_told_the_provider_has_kept_the_promise(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()
    announce(house, price)
    months_pass(house, monkeypatch, 20)
    change = Stripe.change

    def and_dies(stripe: Stripe, *said: Any) -> None:
        change(stripe, *said)
        raise TurnedDown("The power went off.")

    with monkeypatch.context() as dying:
        dying.setattr(Stripe, "change", and_dies)
        months_pass(house, monkeypatch, 39)
        house.deliver()  # the provider's own word of it

    assert db.session.scalars(select(Repriced.applied_at)).one()
    assert not db.session.scalar(select(Notice.id).where(Notice.kind == NoticeKind.MEMBERSHIP_CHANGED))
    assert set(db.session.scalars(select(MembershipChange.kind))) == {ChangeKind.NEW, ChangeKind.ADJUSTED}


def test_letters_before_that_payment_name_what_it_will_cost(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 33)

    receipts = select(Notice.values).where(Notice.kind == NoticeKind.RECEIPT).order_by(Notice.id)
    named = [values["next_amount"] for values in db.session.scalars(receipts)]
    assert named == ["€5.00 a month", "€6.00 a month"]


def test_who_switches_is_told_nothing_of_a_price_that_is_not_theirs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()
    announce(house, price)
    months_pass(house, monkeypatch, 20)
    by_the_year = next(each for each in patrons().prices if each.cadence is Cadence.YEAR)
    told, _ = plans.preview(house.account, house.stripe, held(), by_the_year)
    plans.switch(house.account, house.stripe, held(), by_the_year, told)
    db.session.commit()

    assert "From" not in holding.holdings(db.session.scalars(select(Subscriber)).one())[0].sentence
    repricing.call_off(house.account, db.session.scalars(select(Repricing)).one())
    assert [letter.values["is_off"] for letter in letters()] == [False]


def test_who_goes_on_early_does_not_pay_the_new_price_early(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    plans.pause(house.account, house.stripe, held(), 2)
    db.session.commit()
    announce(house, dearer())
    while not db.session.scalar(select(Repriced.applied_at)):
        months_pass(house, monkeypatch, 1)

    with pytest.raises(plans.NotPossible, match="goes on by itself on"):
        plans.resume(house.account, house.stripe, held())
    db.session.rollback()
    assert months_pass(house, monkeypatch, 5) == [500, 600]


def test_what_was_told_stands_until_it_is_kept(house: House) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())

    catalogue.change(patrons(), Listing(name="Patrons", prices={(Cadence.MONTH, "EUR"): 700}))
    with pytest.raises(BadSetting, match=r"told that they will pay €6\.00 a month"):
        repricing.refuse_another_price(house.account, patrons())


def test_seats_and_payers_of_elsewhere_come_along(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    price = elsewhere(house, amount=400)
    payer(house, GRACE, price, quantity=3)
    take_over(house, price)
    ours = next(each for each in patrons().prices if each.cadence is Cadence.MONTH)

    announce(house, ours)
    months_pass(house, monkeypatch, 20)

    (letter,) = letters()
    assert (letter.values["amount"], letter.values["new_amount"]) == ("€12.00 a month", "€15.00 a month")
    assert months_pass(house, monkeypatch, 55)[-1] == 1500
    assert held().seats == 3


@pytest.mark.parametrize("days", [0, 29, 400])
def test_nobody_is_charged_more_without_a_months_notice(house: House, days: int) -> None:
    house.buy(GRACE)
    house.deliver()
    price = dearer()

    with pytest.raises(CannotReprice, match="Choose a day from"):
        repricing.announce(house.account, price, (clock.now() + timedelta(days=days)).date())


def test_there_must_be_somebody_and_once_is_enough(house: House) -> None:
    price = dearer()
    with pytest.raises(CannotReprice, match="Nobody pays an earlier price"):
        repricing.announce(house.account, price, repricing.earliest())
    house.buy(GRACE)
    house.deliver()
    again = dearer(month=650)
    announce(house, again)
    with pytest.raises(CannotReprice, match="told already"):
        repricing.announce(house.account, again, repricing.earliest())


def test_an_owner_announces_it_at_the_desk_and_takes_it_back(house: House, desk: FlaskClient) -> None:
    house.buy(GRACE)
    house.deliver()
    price, tier = dearer(), patrons()
    page = f"/desk/money/tiers/{tier.id}"
    assert "1 reader pays an earlier price" in seen(desk.get(page))

    too_soon = {"price": str(price.id), "day": clock.now().date().isoformat()}
    assert "Choose a day from" in seen(desk.post(f"{page}/reprice", data=too_soon))
    assert desk.post(f"{page}/reprice", data=too_soon | {"day": "soon"}).status_code == 422
    said = too_soon | {"day": repricing.earliest().isoformat()}
    shown = seen(desk.post(f"{page}/reprice", data=said, follow_redirects=True))
    assert "€6.00 a month is charged to all" in shown

    refused = desk.post(page, data={"name": "Patrons", "prices-0-currency": "EUR", "prices-0-month": "9"})
    assert refused.status_code == 422
    assert "Call that off first" in seen(refused)
    assert "Called off" in seen(desk.post(f"{page}/keep-prices?price={price.id}", follow_redirects=True))
    assert desk.post(f"{page}/keep-prices?price={price.id}").status_code == 404


def test_the_account_tells_of_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.buy(GRACE)
    house.deliver()
    announce(house, dearer())
    months_pass(house, monkeypatch, 20)

    words = holding._paid(held())

    told = db.session.scalars(select(Repriced)).one()
    local = told.due_at.astimezone(Publication.current().zone)
    assert words.endswith(f"From {local.day} {local:%B %Y} on it is €6.00 a month.")
    assert isinstance(told.due_at, datetime)

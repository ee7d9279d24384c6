"""One pays for several: seats are offered, taken, taken back, and last as long as they are paid for."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from newsletter import clock
from newsletter.accounts import owners
from newsletter.billing import dunning, plans, reconciling, seats
from newsletter.billing.models import Seat, Terms
from newsletter.billing.plans import NotPossible
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.publication.models import Publication
from newsletter.subscribers import erasure, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import Notice, NoticeKind, NoticeState, Subscriber, SuppressionReason
from newsletter.tiers import access, catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Membership, MembershipKind, MembershipState, Price, Tier
from tests import factories
from tests.billing.conftest import GOOD, House, serve_pages
from tests.billing.test_gifts import held_by, mail
from tests.doubles import Outbox
from tests.public.account_steps import press, sign_in
from worker import tasks

ADA, GRACE, KEN = "ada@example.com", "grace@example.com", "ken@example.com"


def buy(house: House, number: int = 3, cadence: Cadence = Cadence.MONTH) -> Membership:
    """As Grace does it: our form, the till's page."""
    price = db.session.scalars(select(Price).where(Price.cadence == cadence)).first()
    assert price
    answer = house.client.post("/support/group", data={"what": str(price.id), "seats": str(number)})
    assert answer.status_code == 303, answer.text
    found = re.search(r"/checkout/(cs_test_\w+)$", answer.location)
    assert found
    serve_pages(house.till).post(f"/checkout/{found[1]}", data={"email": GRACE, "number": GOOD, "expires": "12/34"})
    house.deliver()
    return group()


def group() -> Membership:
    db.session.expire_all()
    return db.session.scalars(select(Membership).where(Membership.kind == MembershipKind.PAID)).one()


def link(words: str) -> str:
    found = re.search(r"http://letters\.example\.org(/seats/\w+)", words)
    assert found, words
    return found[1]


def offer(house: House, outbox: Outbox, address: str) -> str:
    """The way to the seat, from the letter."""
    seats.offer(group(), Address.read(address))
    db.session.commit()
    return link(mail(outbox, address)[-1])


def reads(email: str) -> str:
    found = db.session.scalar(select(Subscriber.id).where(Subscriber.email == email))
    return access.audience_of(found).value


def later(house: House, monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Days go by, here and there."""
    house.days_pass(days)
    moment = datetime.fromtimestamp(house.till.now(), tz=clock.now().tzinfo)
    monkeypatch.setattr(clock, "now", lambda: moment)
    house.deliver()


@pytest.fixture
def signed_in(house: House, app: Flask, outbox: Outbox) -> FlaskClient:
    """Grace, who pays for three, in her account."""
    buy(house)
    client = app.test_client()
    sign_in(client, outbox, GRACE)
    return client


def test_one_pays_for_three_and_two_of_them_take_their_seats(
    house: House, signed_in: FlaskClient, app: Flask, outbox: Outbox
) -> None:
    assert (group().seats, group().amount) == (3, 1500)
    page = f"/account/plans/{group().id}/seats"

    shown = press(signed_in, page, page, email=ADA)

    assert "Offered: a letter with the link is on its way." in shown
    assert "one is free" in shown
    (letter,) = mail(outbox, ADA)
    assert "grace@example.com pays for Patrons, and keeps a seat for you." in letter
    stranger = app.test_client()
    assert "A seat for you: Patrons" in stranger.get(link(letter)).text
    assert held_by(ADA) == []  # looking takes nothing
    assert "It is yours" in stranger.post(link(letter), data={"email": ADA}).text
    (seat,) = held_by(ADA)
    assert (seat.kind, seat.group_id, seat.ends_at) == (MembershipKind.SEAT, group().id, group().ends_at)
    assert (reads(ADA), reads(GRACE)) == ("paying", "paying")
    assert any("You hold Patrons" in words for words in mail(outbox, ADA))
    assert "taken on" in signed_in.get(page).text
    other = offer(house, outbox, KEN)
    with pytest.raises(seats.NoneFree):
        seats.offer(group(), Address.read("linus@example.com"))
    assert stranger.post(other, data={"email": KEN}).status_code == 200


def test_a_seat_is_taken_once(house: House, app: Flask, outbox: Outbox) -> None:
    buy(house)
    way = offer(house, outbox, ADA)
    assert app.test_client().post(way, data={"email": ADA}).status_code == 200

    again = app.test_client().post(way, data={"email": "mallory@example.com"})

    assert again.status_code == 409
    assert "It has been taken" in again.text
    assert held_by("mallory@example.com") == []


def test_who_pays_already_keeps_the_seat_for_later(house: House, app: Flask, outbox: Outbox) -> None:
    buy(house)
    way = offer(house, outbox, ADA)
    house.buy(ADA)
    house.deliver()

    refused = app.test_client().post(way, data={"email": ADA})

    assert refused.status_code == 409
    assert "You pay for a tier yourself" in refused.text
    assert [each.kind for each in held_by(ADA)] == [MembershipKind.PAID]


def test_nobody_holds_two_seats_of_a_group(house: House, app: Flask, outbox: Outbox) -> None:
    buy(house)
    first, second = offer(house, outbox, ADA), offer(house, outbox, KEN)
    app.test_client().post(first, data={"email": ADA})

    assert app.test_client().post(second, data={"email": ADA}).status_code == 409
    assert len(held_by(ADA)) == 1


def test_a_seat_that_is_taken_back_ends_now_and_can_be_offered_again(
    house: House, signed_in: FlaskClient, app: Flask, outbox: Outbox
) -> None:
    way = offer(house, outbox, ADA)
    app.test_client().post(way, data={"email": ADA})
    mail(outbox, ADA)
    seat = db.session.scalars(select(Seat)).one()
    page = f"/account/plans/{group().id}/seats"

    assert "Taken back: the seat is free again." in press(signed_in, f"{page}/{seat.id}/back", page)

    assert reads(ADA) == "free"
    dunning.remind()
    db.session.commit()
    assert "Patrons has ended." in mail(outbox, ADA)[-1]
    assert app.test_client().get(way).status_code == 404
    assert app.test_client().post(way, data={"email": ADA}).status_code == 404
    assert seats.free(group()) == 2
    assert db.session.scalars(select(Seat.email)).one() == ""


def test_who_holds_a_seat_can_give_it_back(house: House, app: Flask, outbox: Outbox) -> None:
    buy(house)
    app.test_client().post(offer(house, outbox, ADA), data={"email": ADA})
    client = app.test_client()
    sign_in(client, outbox, ADA)
    (seat,) = held_by(ADA)
    assert "It is yours for as long as they do." in client.get("/account").text

    assert "Given back" in press(client, f"/account/seats/{seat.id}/back")

    assert reads(ADA) == "free"
    assert seats.free(group()) == 2


def test_seats_go_on_and_end_with_what_is_paid(
    house: House, app: Flask, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.test_client().post(offer_after_buying(house, outbox), data={"email": ADA})
    first_end = held_by(ADA)[0].ends_at
    later(house, monkeypatch, 32)
    renewed = held_by(ADA)[0].ends_at
    assert first_end
    assert renewed
    assert renewed > first_end + timedelta(days=25)

    plans.cancel(house.account, house.stripe, group())
    db.session.commit()
    assert held_by(ADA)[0].ends_at == group().cancelled_for
    later(house, monkeypatch, 30)
    dunning.remind()
    db.session.commit()

    assert (group().state, held_by(ADA)[0].state) == (MembershipState.ENDED, MembershipState.ENDED)
    owed = select(Notice.address).where(Notice.kind == NoticeKind.MEMBERSHIP_ENDED, Notice.address == ADA)
    assert db.session.scalars(owed).all() == [ADA]


def offer_after_buying(house: House, outbox: Outbox) -> str:
    buy(house)
    return offer(house, outbox, ADA)


def test_seats_move_to_another_tier_with_their_payer(house: House, app: Flask, outbox: Outbox) -> None:
    app.test_client().post(offer_after_buying(house, outbox), data={"email": ADA})
    patrons = Listing(name="Friends", prices={(Cadence.MONTH, "EUR"): 300})
    catalogue.add(Publication.current(), patrons)
    db.session.commit()
    tasks.run(Job.KEEP_TIERS_IN_STEP)
    friends = db.session.scalars(select(Price).where(Price.amount == 300)).one()

    owners.create_owner("mara@example.com", "Mara", "a thread, a page and a light")
    told, _ = plans.preview(house.account, house.stripe, group(), friends)
    plans.switch(house.account, house.stripe, group(), friends, told)
    db.session.commit()

    assert [each.tier.name for each in held_by(ADA)] == ["Friends"]
    (*_, words) = mail(outbox, ADA)
    news = db.session.scalars(select(Notice.values).where(Notice.kind == NoticeKind.MEMBER_NEWS)).all()
    assert [each["headline"] for each in news] == ["A reader went down: Friends, for €9.00 a month."]  # not of the seat
    assert "You hold Friends now. Before, it was Patrons. Nothing is charged to you." in " ".join(words.split())


def test_more_seats_cost_what_was_told(house: House, signed_in: FlaskClient) -> None:
    page = f"/account/plans/{group().id}/seats"
    shown = signed_in.get(f"{page}?number=5").text
    assert "5 seats of Patrons?" in shown
    told, difference = plans.preview_seats(house.account, house.stripe, group(), 5)
    assert 0 < told.due_now <= 1000
    assert difference.next_amount == 2500

    plans.change_seats(house.account, house.stripe, group(), 5, told)
    db.session.commit()

    assert (group().seats, group().amount, seats.free(group())) == (5, 2500, 4)
    invoices = [each["amount_paid"] for each in house.till.all("invoice")]
    assert sorted(invoices) == sorted([1500, told.due_now])


def test_the_button_changes_the_number_as_told(signed_in: FlaskClient) -> None:
    page = f"/account/plans/{group().id}/seats"
    shown = signed_in.get(f"{page}?number=4").text
    fields = dict(re.findall(r'name="(number|at|due|proof)" value="(\w+)"', shown))

    changed = signed_in.post(f"{page}/number", data=fields, follow_redirects=True)

    assert "It is changed." in changed.text
    assert "You pay for 4 seats, €20.00 a month in all." in changed.text
    broken = signed_in.post(f"{page}/number", data=fields | {"at": "9" * 30})
    assert broken.status_code == 400


def test_seats_that_are_given_are_not_cut(house: House, outbox: Outbox) -> None:
    buy(house)
    offer(house, outbox, ADA)

    with pytest.raises(NotPossible, match="2 seats are given, yours among them"):
        plans.preview_seats(house.account, house.stripe, group(), 1)


def test_whoever_tries_a_tier_for_nothing_tries_no_seats(house: House) -> None:
    tier = db.session.scalars(select(Tier)).unique().one()
    catalogue.change(tier, Listing(name="Patrons", trial_days=14, prices={(Cadence.MONTH, "EUR"): 500}))
    db.session.commit()
    house.buy(GRACE)
    house.deliver()
    assert group().state is MembershipState.TRIALING

    with pytest.raises(NotPossible, match="seats are not tried"):
        plans.preview_seats(house.account, house.stripe, group(), 50)
    with pytest.raises(seats.BadSeat, match="while what is paid goes on"):
        seats.offer(group(), Address.read(ADA))


def test_of_a_group_that_the_provider_does_not_know_any_more_the_seats_end(
    house: House, app: Flask, outbox: Outbox
) -> None:
    app.test_client().post(offer_after_buying(house, outbox), data={"email": ADA})
    del house.till.things[group().reference or ""]

    reconciling.reconcile(house.account, house.stripe)

    assert (group().state, reads(GRACE), reads(ADA)) == (MembershipState.ENDED, "free", "free")


def test_of_a_group_that_ended_no_address_is_kept_for_a_seat_that_nobody_took(house: House, outbox: Outbox) -> None:
    offer_after_buying(house, outbox)
    house.stripe.end(group().reference or "")
    house.deliver()

    assert db.session.scalars(select(Seat.email)).all() == [""]


def test_whoever_has_another_address_signs_in_to_take_a_seat(house: House, app: Flask, outbox: Outbox) -> None:
    """Else a link would tell of any address whether it pays, and write to whom it likes."""
    way = offer_after_buying(house, outbox)
    house.buy(KEN)
    house.deliver()

    for address in (KEN, "nobody@example.com"):
        refused = app.test_client().post(way, data={"email": address})
        assert refused.status_code == 409
        assert "kept for another address" in refused.text


def test_an_erased_address_frees_no_seat_that_another_holds(house: House, app: Flask, outbox: Outbox) -> None:
    way = offer_after_buying(house, outbox)
    for address in (KEN, ADA):
        factories.subscriber(address)
    db.session.commit()
    client = app.test_client()
    sign_in(client, outbox, KEN)
    assert client.post(way).status_code == 200

    erasure.forget(db.session.scalars(select(Subscriber).where(Subscriber.email == ADA)).one())
    db.session.commit()

    assert (reads(KEN), seats.free(group())) == ("paying", 1)
    assert db.session.scalars(select(Seat.email)).all() == [""]


@pytest.mark.parametrize("erased", [GRACE, ADA])
def test_of_who_is_erased_no_letter_about_a_seat_tells(house: House, outbox: Outbox, erased: str) -> None:
    offer_after_buying(house, outbox)
    if erased == ADA:
        factories.subscriber(ADA)
    erasure.forget(db.session.scalars(select(Subscriber).where(Subscriber.email == erased)).one())
    db.session.commit()

    kept = db.session.execute(text("SELECT address, address_key, values FROM notice WHERE kind = 'seat'")).all()
    assert erased not in str(kept)


def test_a_seat_that_is_taken_back_before_its_letter_left_sends_none(house: House, outbox: Outbox) -> None:
    buy(house)
    seats.take_back(group(), seats.offer(group(), Address.read(ADA)))
    db.session.commit()

    assert mail(outbox, ADA) == []


def test_nobody_is_written_to_again_and_again(house: House) -> None:
    buy(house)
    seats.take_back(group(), seats.offer(group(), Address.read(ADA)))
    db.session.execute(text("UPDATE notice SET address_key = :key WHERE kind = 'seat'"), {"key": ADA})  # it has left

    with pytest.raises(seats.BadSeat, match="such a letter within a week"):
        seats.offer(group(), Address.read(ADA))


def test_where_the_provider_holds_fewer_the_newest_seats_end(house: House, app: Flask, outbox: Outbox) -> None:
    buy(house)
    app.test_client().post(offer(house, outbox, ADA), data={"email": ADA})
    app.test_client().post(offer(house, outbox, KEN), data={"email": KEN})
    item = house.stripe.subscription(group().reference or "").item

    house.stripe.change(group().reference or "", {"items": [{"id": item, "quantity": 2}]})  # at its own page
    house.deliver()

    assert (reads(ADA), reads(KEN)) == ("paying", "free")
    assert seats.free(group()) == 0


def test_of_an_erased_payer_the_seats_end_and_their_holders_are_told(house: House, app: Flask, outbox: Outbox) -> None:
    app.test_client().post(offer_after_buying(house, outbox), data={"email": ADA})
    mail(outbox, ADA)
    before = len(outbox)

    erasure.forget(db.session.scalars(select(Subscriber).where(Subscriber.email == GRACE)).one())
    db.session.commit()
    tasks.run(Job.KEEP_MEMBERSHIPS)
    tasks.run(Job.SEND_NOTICES)

    assert reads(ADA) == "free"
    assert [str(outbox[at]["To"]) for at in range(before, len(outbox))] == [ADA]
    assert db.session.scalar(select(func.count(Seat.id))) == 0


def test_of_an_erased_holder_no_address_stays_and_the_seat_is_free(house: House, app: Flask, outbox: Outbox) -> None:
    app.test_client().post(offer_after_buying(house, outbox), data={"email": ADA})

    erasure.forget(db.session.scalars(select(Subscriber).where(Subscriber.email == ADA)).one())
    db.session.commit()

    assert seats.free(group()) == 2
    assert not db.session.scalar(text("SELECT count(*) FROM seat WHERE email <> ''"))


def test_a_seat_offered_to_who_is_never_to_be_written_to_mails_nobody(house: House, outbox: Outbox) -> None:
    buy(house)
    suppression.suppress(ADA, SuppressionReason.COMPLAINED, Publication.current().id)

    seats.offer(group(), Address.read(ADA))
    db.session.commit()
    tasks.run(Job.SEND_NOTICES)

    owed = db.session.scalars(select(Notice).where(Notice.kind == NoticeKind.SEAT)).one()
    assert owed.state is NoticeState.SKIPPED
    assert [message for message in (outbox[at] for at in range(len(outbox))) if str(message["To"]) == ADA] == []


def test_seats_are_no_way_to_mail_the_world(house: House) -> None:
    buy(house)
    for number in range(3 + seats.SPARE_OFFERS):
        seats.take_back(group(), seats.offer(group(), Address.read(f"reader{number}@example.com")))

    with pytest.raises(seats.TooMany):
        seats.offer(group(), Address.read("one-more@example.com"))


@pytest.mark.parametrize("address", [GRACE, ADA, "no address"])
def test_a_seat_is_kept_for_others_once_and_by_their_address(
    house: House, signed_in: FlaskClient, outbox: Outbox, address: str
) -> None:
    offer(house, outbox, ADA)
    page = f"/account/plans/{group().id}/seats"

    shown = press(signed_in, page, page, email=address)

    assert 'role="alert"' in shown
    assert len(seats.of(group())) == 1


def test_the_seats_of_others_are_nobodys_business(house: House, app: Flask, outbox: Outbox) -> None:
    way = offer_after_buying(house, outbox)
    app.test_client().post(way, data={"email": ADA})
    factories.subscriber("linus@example.com")
    db.session.commit()
    page, seat, held = f"/account/plans/{group().id}/seats", db.session.scalars(select(Seat)).one(), held_by(ADA)[0]
    client = app.test_client()
    sign_in(client, outbox, "linus@example.com")

    assert client.get(page).status_code == 404
    for action in (page, f"{page}/{seat.id}/back", f"{page}/number", f"/account/seats/{held.id}/back"):
        assert "There is no such" in press(client, action, email="linus@example.com", number="2", at="1", due="1")
    assert reads(ADA) == "paying"


def test_a_seat_of_another_group_is_not_taken_back(house: House, signed_in: FlaskClient, outbox: Outbox) -> None:
    mine = group()
    house.buy(KEN)
    house.deliver()
    other = db.session.scalars(select(Membership).where(Membership.id != mine.id)).unique().one()
    foreign = Seat(group_id=other.id, email=ADA)
    db.session.add(foreign)
    db.session.commit()
    page = f"/account/plans/{mine.id}/seats"

    assert "There is no seat" in press(signed_in, f"{page}/{foreign.id}/back", page)
    db.session.refresh(foreign)
    assert foreign.withdrawn_at is None


@pytest.mark.parametrize("number", ["1", "0", "501", "-3", "two", "", "٣", "9" * 40])
def test_a_number_of_seats_that_cannot_be_is_said_so(house: House, number: str) -> None:
    price = db.session.scalars(select(Price)).first()
    assert price

    answer = house.client.post("/support/group", data={"what": str(price.id), "seats": number})

    assert answer.status_code == 422
    assert "Choose between 2 and 500 seats, with your own." in answer.text


def test_an_author_may_have_no_groups(house: House) -> None:
    assert "For a group" in house.client.get("/support").text
    db.session.get_one(Terms, Publication.current().id).has_groups = False
    db.session.commit()

    assert "For a group" not in house.client.get("/support").text
    assert house.client.get("/support/group").status_code == 410
    assert house.client.post("/support/group").status_code == 410

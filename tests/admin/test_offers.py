"""Offers at the desk."""

from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.accounts.models import Role, User
from newsletter.billing import terms
from newsletter.billing.models import Offer, OfferKind, OfferLasts
from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from tests.admin.conftest import seen

SPRING = {
    "name": "Spring",
    "code": "Spring-26",
    "kind": "percent",
    "size": "20",
    "lasts": "months",
    "months": "3",
    "tier": "",
    "cadence": "",
    "most": "100",
    "ends": "2099-12-31",
    "currency": "EUR",
}


def the_offer() -> Offer:
    db.session.expire_all()
    return db.session.scalars(select(Offer)).unique().one()


def test_an_offer_is_added_archived_and_opened_again(desk: FlaskClient, weekly: Newsletter) -> None:
    page = seen(desk.post("/desk/money/offers", data=SPRING, follow_redirects=True))

    assert "20 % off, for 3 months" in page
    assert "/offers/spring-26" in page
    assert "31 Dec 2099" in page  # its last day, and not the midnight after
    made = the_offer()
    assert (made.kind, made.percent, made.lasts, made.months, made.most) == (
        *(OfferKind.PERCENT, 20, OfferLasts.MONTHS, 3, 100),
    )
    assert made.is_for_new is False  # the box was not ticked
    desk.post(f"/desk/money/offers/{made.id}/archive")
    assert the_offer().archived_at
    desk.post(f"/desk/money/offers/{made.id}/open")
    assert the_offer().archived_at is None


def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: FlaskClient, weekly: Newsletter) -> None:
    for wrong, sentence in (
        ({"size": "a fifth"}, "whole number"),
        ({"size": "120"}, "Between 1 and 100 percent"),
        ({"kind": "gift"}, "Choose one of those"),
        ({"kind": "amount", "size": "1,000.00"}, "like 5 or 5.50"),
        ({"ends": "soon"}, "Write the day"),
        ({"ends": "2020-01-01"}, "a day to come"),
    ):
        answer = desk.post("/desk/money/offers", data=SPRING | wrong)
        assert answer.status_code == 422
        assert sentence in seen(answer)
        assert 'value="Spring"' in answer.text
    assert db.session.scalars(select(Offer)).unique().all() == []


def test_one_is_shown_to_who_cancels_and_one_mailed_to_who_has_left(desk: FlaskClient, weekly: Newsletter) -> None:
    desk.post("/desk/money/offers", data=SPRING)
    chosen = {"retention": str(the_offer().id), "win_back": str(the_offer().id), "win_back_days": "45"}

    desk.post("/desk/money/offers/letters", data=chosen)

    agreed = terms.of(Publication.current().id)
    assert (agreed.retention_offer_id, agreed.win_back_offer_id, agreed.win_back_days) == (*[the_offer().id] * 2, 45)
    assert desk.post("/desk/money/offers/letters", data=chosen | {"win_back_days": "0"}).status_code == 422
    desk.post("/desk/money/offers/letters", data={"retention": "", "win_back": "", "win_back_days": "30"})
    db.session.expire_all()
    assert terms.of(Publication.current().id).retention_offer_id is None


def test_only_owners_make_offers(desk: FlaskClient, ken: User) -> None:
    db.session.get_one(User, ken.id).role = Role.EDITOR
    db.session.commit()

    assert desk.get("/desk/money/offers").status_code == 403
    assert desk.post("/desk/money/offers", data=SPRING).status_code == 403

"""Tiers at the desk: made, priced, ordered, archived, given and taken back."""

import pytest
from flask.testing import FlaskClient

import emails
from newsletter.accounts.models import Role, User
from newsletter.db import db
from newsletter.publication.models import Publication
from newsletter.tiers import access, catalogue, giving
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Membership, MembershipKind, MembershipState, Tier
from tests import cast, factories
from tests.admin.conftest import seen

PATRONS = {
    "name": "Patrons",
    "description": "For those who want <all> of it.",
    "benefits": "Every letter\r\n\r\nThe archive\r\n",
    "prices-0-currency": "EUR",
    "prices-0-month": "5",
    "prices-0-year": "50,00",
    "trial_days": "14",
}


def tier() -> Tier:
    db.session.expire_all()
    found = Tier.by_slug("patrons")
    assert found
    return found


def test_a_tier_is_made_and_shown_to_readers(desk: FlaskClient, client: FlaskClient) -> None:
    assert "Nobody pays for anything yet" in seen(desk.get("/desk/money"))

    assert desk.post("/desk/money/tiers/new", data=PATRONS).status_code == 302

    assert tier().benefits == ["Every letter", "The archive"]
    assert "€5.00 a month €50.00 a year" in seen(desk.get("/desk/money"))
    shown = seen(client.get("/support"))
    assert "For those who want <all> of it. Every letter The archive" in shown
    assert "€5.00 a month, or €50.00 a year. The first 14 days are free." in shown


def test_it_is_changed_and_another_currency_has_a_row_of_its_own(desk: FlaskClient) -> None:
    desk.post("/desk/money/tiers/new", data=PATRONS)
    page = desk.get(f"/desk/money/tiers/{tier().id}").text
    assert 'name="prices-1-currency"' in page
    assert 'value="50.00"' in page

    dollars = {"prices-1-currency": "USD", "prices-1-month": "6", "prices-1-year": ""}
    desk.post(f"/desk/money/tiers/{tier().id}", data={**PATRONS, **dollars, "prices-0-month": "", "is_minimum": "y"})

    assert {(price.currency, price.cadence.value, price.amount) for price in tier().prices} == {
        ("EUR", "year", 5000),
        ("USD", "month", 600),
    }
    assert "from €50.00 a year" in seen(desk.get("/desk/money"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "A tier needs a name."),
        ({"prices-0-month": "1,500"}, "Write the price in EUR like 5 or 5.50."),
        ({"prices-0-currency": "XXX"}, "Not a valid choice"),
        ({"prices-1-currency": "EUR", "prices-1-month": "7", "prices-1-year": ""}, "EUR is there twice"),
        ({"trial_days": "a week"}, "A whole number of days, or nothing."),
        ({"trial_days": "999"}, "Between 0 and 365 days."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_typed_is_lost(
    desk: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    answer = desk.post("/desk/money/tiers/new", data={**PATRONS, **wrong})

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert "For those who want &lt;all&gt; of it." in answer.text
    assert Tier.in_order() == []


def test_one_that_is_archived_can_be_opened_again(desk: FlaskClient) -> None:
    desk.post("/desk/money/tiers/new", data=PATRONS)

    desk.post(f"/desk/money/tiers/{tier().id}/archive")
    assert desk.get("/support").status_code == 404
    assert "Open again" in seen(desk.get("/desk/money"))
    desk.post(f"/desk/money/tiers/{tier().id}/reopen")
    assert desk.get("/support").status_code == 200


def test_they_are_put_in_order(desk: FlaskClient) -> None:
    first, second = (catalogue.add(Publication.current(), Listing(name)) for name in ("One", "Two"))
    db.session.commit()

    desk.post(f"/desk/money/tiers/{second.id}/up")

    db.session.expire_all()
    assert Tier.in_order() == [second, first]


def test_a_reader_is_given_a_tier_and_it_is_taken_back(desk: FlaskClient) -> None:
    ada = cast.ada().id
    patrons = catalogue.add(Publication.current(), Listing("Patrons"))
    db.session.commit()

    said = seen(desk.post(f"/desk/readers/{ada}/tiers", data={"tier": patrons.id, "days": "30"}, follow_redirects=True))
    assert "They hold “Patrons” now." in said
    assert "Patrons , given by hand, since" in said
    assert access.audience_of(ada) is emails.Audience.PAYING

    held = giving.give(ada, patrons, 30)
    said = seen(desk.post(f"/desk/readers/{ada}/tiers/{held.id}/end", follow_redirects=True))
    assert "“Patrons” has ended for them." in said
    assert access.audience_of(ada) is emails.Audience.FREE


def test_what_is_paid_for_is_called_so_and_is_not_ended_by_hand(desk: FlaskClient) -> None:
    ada = cast.ada().id
    patrons = catalogue.add(Publication.current(), Listing("Patrons"))
    paid = Membership(subscriber_id=ada, tier=patrons, kind=MembershipKind.PAID, reference="sub_1")
    paid.state, paid.cadence, paid.amount, paid.currency = MembershipState.PAST_DUE, Cadence.MONTH, 500, "EUR"
    db.session.add(paid)
    db.session.commit()

    page = seen(desk.get(f"/desk/readers/{ada}"))
    assert "Patrons , paid, €5.00 a month, the last payment failed, since" in page
    assert "End it now" not in page
    assert desk.post(f"/desk/readers/{ada}/tiers/{paid.id}/end").status_code == 409
    assert access.audience_of(ada) is emails.Audience.PAYING


@pytest.mark.parametrize("days", ["8", "-1", "0", "99999999999"])
def test_a_span_that_is_not_on_the_list_is_refused(desk: FlaskClient, days: str) -> None:
    ada = cast.ada().id
    patrons = catalogue.add(Publication.current(), Listing("Patrons"))
    db.session.commit()

    answer = desk.post(f"/desk/readers/{ada}/tiers", data={"tier": patrons.id, "days": days})

    assert answer.status_code == 409
    assert access.audience_of(ada) is emails.Audience.FREE


def test_what_one_reader_holds_is_not_ended_under_the_name_of_another(desk: FlaskClient) -> None:
    ada, grace = cast.ada().id, cast.grace().id
    held = giving.give(grace, Tier.in_order()[0], None)
    db.session.commit()

    assert desk.post(f"/desk/readers/{ada}/tiers/{held.id}/end").status_code == 404
    assert access.audience_of(grace) is emails.Audience.PAYING


def test_only_an_owner_decides_about_money(desk: FlaskClient, ken: User) -> None:
    ada = cast.ada().id
    patrons = catalogue.add(Publication.current(), Listing("Patrons"))
    held = giving.give(factories.subscriber("joan@example.com").id, patrons, None)
    db.session.get_one(User, ken.id).role = Role.EDITOR
    db.session.commit()

    assert "Patrons" in seen(desk.get("/desk/money"))
    assert "Give them" not in seen(desk.get(f"/desk/readers/{ada}"))
    for path, given in {
        "/desk/money/tiers/new": PATRONS,
        f"/desk/money/tiers/{patrons.id}": PATRONS,
        f"/desk/money/tiers/{patrons.id}/up": {},
        f"/desk/money/tiers/{patrons.id}/archive": {},
        f"/desk/money/tiers/{patrons.id}/reopen": {},
        f"/desk/readers/{ada}/tiers": {"tier": str(patrons.id), "days": "ever"},
        f"/desk/readers/{held.subscriber_id}/tiers/{held.id}/end": {},
    }.items():
        assert desk.post(path, data=given).status_code == 403, path
    assert access.audience_of(ada) is emails.Audience.FREE
    assert tier().archived_at is None


def test_looking_changes_nothing(desk: FlaskClient) -> None:
    ada = cast.ada().id
    patrons = catalogue.add(Publication.current(), Listing("Patrons"))
    db.session.commit()

    for path in (f"/desk/money/tiers/{patrons.id}/archive", f"/desk/money/tiers/{patrons.id}/up"):
        assert desk.get(path).status_code == 405
    assert desk.get(f"/desk/readers/{ada}/tiers?tier={patrons.id}&days=30").status_code == 405
    assert access.audience_of(ada) is emails.Audience.FREE

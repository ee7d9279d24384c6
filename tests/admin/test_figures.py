"""The page of figures, and who may see it."""

from flask import Flask
from flask.testing import FlaskClient

from newsletter.accounts.models import Role, User
from newsletter.billing.models import ChangeKind, MembershipChange
from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from newsletter.tiers.models import Cadence, Tier
from tests.admin.conftest import seen


def earned(amount: int) -> None:
    tier = Tier(publication_id=Publication.current().id, slug="patrons", name="Patrons")
    db.session.add(tier)
    db.session.flush()
    db.session.add(
        MembershipChange(
            tier_id=tier.id,
            kind=ChangeKind.NEW,
            currency="EUR",
            monthly_before=0,
            monthly_after=amount * 1000,
            cadence=Cadence.MONTH,
        )
    )
    db.session.commit()


def test_before_anything_is_paid_it_says_what_will_be_here(desk: FlaskClient, weekly: Newsletter) -> None:
    assert "Nothing has been paid yet" in seen(desk.get("/desk/money/figures"))


def test_it_shows_a_chart_and_the_same_as_a_table(desk: FlaskClient, weekly: Newsletter) -> None:
    earned(500)

    page = desk.get("/desk/money/figures?span=all&currency=EUR").text

    assert "<rect" in page
    assert 'role="img"' in page
    assert '<td class="num" data-label="Earned a month">€5.00</td>' in page
    assert "/desk/money/payments.csv?from=" in page


def test_the_file_wants_two_days_and_is_a_file(desk: FlaskClient, weekly: Newsletter) -> None:
    file = desk.get("/desk/money/payments.csv?from=2026-01-01&to=2026-12-31")

    assert file.headers["Content-Disposition"] == 'attachment; filename="payments-2026-01-01-2026-12-31.csv"'
    assert file.headers["Cache-Control"] == "no-store"
    assert file.text.startswith("\ufeffDate,Invoice,")
    assert desk.get("/desk/money/payments.csv?from=2026-12-31&to=2026-01-01").status_code == 422
    assert desk.get("/desk/money/payments.csv").status_code == 422


def test_editors_and_strangers_are_not_shown_what_is_earned(app: Flask, desk: FlaskClient, ken: User) -> None:
    db.session.get_one(User, ken.id).role = Role.EDITOR
    db.session.commit()

    for path in ("/desk/money/figures", "/desk/money/payments.csv?from=2026-01-01&to=2026-12-31"):
        assert desk.get(path).status_code == 403
        assert app.test_client().get(path).status_code == 302

"""The page that a free reader's “support” button leads to."""

from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.tiers.models import Tier
from tests import factories


def test_it_names_the_tiers_and_whom_to_write_to(client: FlaskClient) -> None:
    newsletter = factories.newsletter()
    db.session.add(
        Tier(
            publication_id=newsletter.publication_id,
            slug="s",
            name="Supporter",
            description="The <b>drawer</b> letters.",
        )
    )
    db.session.commit()

    page = client.get("/support").get_data(as_text=True)

    assert "Supporter" in page
    assert "The &lt;b&gt;drawer&lt;/b&gt; letters." in page
    assert "mailto:ken@letters.example.org" in page


def test_without_tiers_nobody_is_asked_for_money(client: FlaskClient) -> None:
    factories.newsletter()
    db.session.commit()

    assert client.get("/support").status_code == 404

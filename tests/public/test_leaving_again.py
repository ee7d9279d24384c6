"""Leaving twice, leaving by a broken link, and what the author hears of it."""

from flask.testing import FlaskClient

from newsletter import links
from newsletter.db import db
from newsletter.links import Purpose
from newsletter.subscribers import queries
from tests import cast
from tests.doubles import JobQueue


def leave_address(mailing_id: int = 3) -> str:
    ada = cast.ada()
    db.session.commit()
    return f"/leave/{links.sign(Purpose.LEAVE, ada.id, ada.newsletters[0].id, mailing_id)}"


def test_the_link_of_a_letter_says_that_one_has_left_already_and_offers_the_way_back(
    client: FlaskClient, jobs_queue: JobQueue
) -> None:
    address = leave_address()
    client.post(address, data={"List-Unsubscribe": "One-Click"})

    for page in (client.get(address), client.post(address, data={"scope": "one"})):
        text = page.get_data(as_text=True)
        assert "You have left The Weekly" in text
        assert "Undo: keep it coming" in text


def test_a_mail_program_is_not_told_that_a_broken_link_worked(client: FlaskClient) -> None:
    address = leave_address()
    assert client.post(address[:-3] + "aaa", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    assert client.get(address[:-3] + "aaa").status_code == 200


def test_the_reason_reaches_the_author(client: FlaskClient) -> None:
    page = client.post(leave_address(), data={"scope": "one"}).get_data(as_text=True)
    explain = page.split('action="')[2].split('"')[0]

    client.post(explain, data={"reason": "Too many letters"})

    assert [subscription.reason for subscription in queries.left_by(3)] == ["Too many letters"]

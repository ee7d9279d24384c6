"""What an owner decides, and what is refused with a sentence."""

import pytest
from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.publication.models import Newsletter, Publication
from tests.admin.conftest import seen

GOOD = {
    "name": "Slow Letters",
    "tagline": "Essays",
    "postal_address": "1 Mill Lane",
    "time_zone": "Europe/Paris",
    "language": "fr",
}
LIST = {"name": "Field Notes", "sender_name": "Ken", "sender_email": "ken@letters.example.org"}


def here() -> Publication:
    db.session.expire_all()
    return Publication.current()


def test_the_publication_is_changed(desk: FlaskClient) -> None:
    desk.post("/desk/settings/", data=GOOD)

    assert (here().time_zone, here().language) == ("Europe/Paris", "fr")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "A publication needs a name."),
        ({"time_zone": "Berlin"}, "They are named like Europe/Berlin."),
        ({"time_zone": "../../etc/passwd"}, "is not a time zone"),
        ({"language": "english!"}, "They look like en, de or pt-BR."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_changes(
    desk: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    answer = desk.post("/desk/settings/", data={**GOOD, "tagline": "typed with care", **wrong})

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert "typed with care" in answer.text
    assert here().tagline == ""


def test_names_are_words_wherever_they_are_shown(desk: FlaskClient) -> None:
    desk.post("/desk/settings/", data={**GOOD, "name": "<script>alert(1)</script>"})

    for path in ("/desk/settings/", "/desk/posts", "/desk/sign-in"):
        assert "<script>alert" not in desk.get(path, follow_redirects=True).text


def test_a_newsletter_is_added_changed_archived_and_opened_again(desk: FlaskClient) -> None:
    desk.post("/desk/settings/newsletters/new", data=LIST)
    notes = Newsletter.by_slug("field-notes")
    assert notes is not None

    desk.post(f"/desk/settings/newsletters/{notes.id}", data={**LIST, "name": "Notes", "reply_to": "ken@example.com"})
    archived = desk.post(f"/desk/settings/newsletters/{notes.id}/archive", follow_redirects=True)

    assert "“Notes” is archived" in seen(archived)
    assert [newsletter.slug for newsletter in Newsletter.open()] == ["weekly"]

    desk.post(f"/desk/settings/newsletters/{notes.id}/reopen")

    db.session.expire_all()
    assert [newsletter.slug for newsletter in Newsletter.open()] == ["weekly", "field-notes"]
    assert notes.reply_to == "ken@example.com"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sender_email": "ken"}, "This is not a mail address"),
        ({"sender_email": "ken@example.org\r\nBcc: all@example.org"}, "This is not a mail address"),
        ({"reply_to": "nobody"}, "This is not a mail address"),
        ({"sender_name": ""}, "Readers see who writes"),
    ],
)
def test_a_sender_that_cannot_be_is_refused(desk: FlaskClient, wrong: dict[str, str], sentence: str) -> None:
    answer = desk.post("/desk/settings/newsletters/new", data={**LIST, **wrong})

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert Newsletter.by_slug("field-notes") is None


def test_a_name_with_line_breaks_becomes_one_line(desk: FlaskClient) -> None:
    desk.post("/desk/settings/newsletters/new", data={**LIST, "sender_name": "Ken\r\nBcc: all@example.org"})

    notes = Newsletter.by_slug("field-notes")
    assert notes is not None
    assert notes.sender_name == "Ken Bcc: all@example.org"


def test_the_last_newsletter_stays(desk: FlaskClient, weekly: Newsletter) -> None:
    answer = desk.post(f"/desk/settings/newsletters/{weekly.id}/archive")

    assert answer.status_code == 409
    assert "the only newsletter" in seen(answer)


def test_the_delivery_page_tells_no_password(desk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter import config

    told = config.settings().model_copy(update={"mail_url": "smtps://mailer:hunter22@smtp.example.org"})
    monkeypatch.setattr(config, "settings", lambda: told)

    page = desk.get("/desk/settings/delivery")

    assert "smtp.example.org, port 465" in seen(page)
    assert "mailer" in page.text
    assert "hunter22" not in page.text


def test_the_team_page_says_who_did_what(desk: FlaskClient) -> None:
    desk.post("/desk/settings/", data=GOOD)

    page = seen(desk.get("/desk/settings/team"))

    assert "ken@example.com" in page
    assert "Changed the publication" in page

"""What an owner decides, and what is refused with a sentence."""

from io import BytesIO

import pytest
from flask.testing import FlaskClient
from PIL import Image

from newsletter.db import db
from newsletter.posts.models import Media
from newsletter.publication.models import Newsletter, Publication
from tests.admin.conftest import seen

GOOD = {
    "name": "Slow Letters",
    "tagline": "Essays",
    "postal_address": "1 Mill Lane",
    "time_zone": "Europe/Paris",
    "language": "fr",
    "accent": "#AA3300",
}
LIST = {"name": "Field Notes", "sender_name": "Ken", "sender_email": "ken@letters.example.org"}


def here() -> Publication:
    db.session.expire_all()
    return Publication.current()


def test_the_publication_is_changed(desk: FlaskClient) -> None:
    desk.post("/desk/settings/", data=GOOD)

    assert (here().time_zone, here().language, here().accent) == ("Europe/Paris", "fr", "#aa3300")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "A publication needs a name."),
        ({"time_zone": "Berlin"}, "They are named like Europe/Berlin."),
        ({"time_zone": "../../etc/passwd"}, "is not a time zone"),
        ({"language": "english!"}, "They look like en, de or pt-BR."),
        ({"accent": "red;}body{display:none"}, "Write it like #8a4b2d."),
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


def test_an_accent_that_is_hard_to_read_is_told_while_it_is_chosen(desk: FlaskClient) -> None:
    said = seen(desk.get("/desk/settings/accent?accent=%23ffd54a"))

    assert "links need 4.5 : 1, so they become #" in said
    assert "This is not a colour" in seen(desk.get("/desk/settings/accent?accent=<script>"))


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


def picture(width: int = 300, height: int = 100, kind: str = "PNG") -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), "#8a4b2d").save(made, kind)
    return made.getvalue()


def upload(desk: FlaskClient, content: bytes, name: str = "logo.png") -> str:
    head = f'--edge\r\nContent-Disposition: form-data; name="logo"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--edge--\r\n"  # by hand: the client's own would leave a large file open
    return seen(
        desk.post(
            "/desk/settings/logo", data=body, content_type="multipart/form-data; boundary=edge", follow_redirects=True
        )
    )


def test_a_logo_is_kept_as_our_own_png_and_shown_to_everybody(desk: FlaskClient) -> None:
    upload(desk, picture(2000, 500, "JPEG"), "../../etc/passwd.html")

    media = Media.by_key(here().logo_key or "")
    assert media is not None
    assert (media.width, media.height) == (960, 240)
    answer = desk.application.test_client().get(f"/media/{media.key}.png")
    assert answer.data.startswith(b"\x89PNG")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_nothing_that_hides_in_a_picture_survives(desk: FlaskClient) -> None:
    upload(desk, picture(kind="GIF") + b"<script>alert(1)</script>", "logo.gif")

    media = Media.by_key(here().logo_key or "")
    assert media is not None
    assert b"script" not in media.content


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 50,000 pixels square."""
    small = picture(1, 1)
    header = small.index(b"IHDR") + 4
    size = (50_000).to_bytes(4) * 2
    from zlib import crc32

    chunk = b"IHDR" + size + small[header + 8 : header + 13]
    return small[: header - 4] + chunk + crc32(chunk).to_bytes(4) + small[header + 17 :]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a picture first."),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG files can carry programs"),
        (b'<?xml version="1.0"?><!DOCTYPE svg><SVG onload="alert(1)"/>', "SVG files can carry programs"),
        (b"GIF89a/*<script>alert(1)</script>*/=1;", "not a picture that we can read"),
        (b"<!doctype html><script>alert(1)</script>", "not a picture that we can read"),
        (picture()[:60], "not a picture that we can read"),
        (bomb(), "more than 40 million pixels"),
        (picture() + b"\0" * (5 * 1024 * 1024), "up to 5 MB"),
    ],
)
def test_what_is_no_harmless_picture_is_refused(desk: FlaskClient, content: bytes, sentence: str) -> None:
    assert sentence in upload(desk, content)
    assert here().logo_key is None


def test_a_picture_nobody_uploaded_is_not_there(desk: FlaskClient) -> None:
    for key in ("0" * 32, "..%2F..%2Fetc%2Fpasswd", "x"):
        assert desk.get(f"/media/{key}.png").status_code == 404


def test_the_logo_can_be_taken_down(desk: FlaskClient) -> None:
    upload(desk, picture())

    desk.post("/desk/settings/logo/remove")

    assert here().logo_key is None

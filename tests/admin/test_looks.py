"""What an owner chooses of the looks: for site, mail and notices alike."""

import datetime
from io import BytesIO
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

import emails
from newsletter import storage
from newsletter.db import db
from newsletter.posts import content
from newsletter.posts.models import Media
from newsletter.publication.models import LongMail, Newsletter, Publication
from tests import factories
from tests.admin.conftest import seen
from tests.emails.samples import tree

LOOKS = {
    "accent": "#AA3300",
    "faces": "sans",
    "header": "centred",
    "headings": "ruled",
    "quotes": "large",
    "cards": "rules",
    "footer": "Written in Galway.\r\n\r\nSee [the *library*](https://lib.example/a_b?c=1&d).",
    "long_mail": "whole",
}


def here() -> Publication:
    db.session.expire_all()
    return Publication.current()


def test_the_looks_are_changed_and_mail_and_page_wear_them(desk: FlaskClient) -> None:
    post = factories.post()
    db.session.commit()

    desk.post("/desk/settings/looks", data=LOOKS)

    assert (here().accent, here().style, here().long_mail) == (
        "#aa3300",
        emails.Style(
            faces=emails.Faces.SANS,
            header=emails.Header.CENTRED,
            headings=emails.Headings.RULED,
            quotes=emails.Quotes.LARGE,
            cards=emails.Cards.RULES,
        ),
        LongMail.WHOLE,
    )
    letter = emails.compile_post(content.post_content(post), content.theme(post.newsletter), emails.Audience.FREE)
    page = tree(desk.application.test_client().get("/").text)
    assert "system-ui" in letter.html
    assert "border-bottom:3px double" in letter.html
    assert (page.get("data-faces"), page.get("data-header"), page.get("data-cards")) == ("sans", "centred", "rules")
    for shown in (tree(letter.html), page.xpath("//footer")[0]):
        assert "Written in Galway." in shown.text_content()
        assert shown.xpath("//a[@href='https://lib.example/a_b?c=1&d']/em/text()") == ["library"]
    assert "See the library (https://lib.example/a_b?c=1&d)." in letter.text


def test_a_notice_wears_the_same_looks(desk: FlaskClient) -> None:
    desk.post("/desk/settings/looks", data=LOOKS)
    values = {"address": "a@example.com", "code": "1", "minutes": 5}

    notice = emails.compile_notice("erase_code", values, content.theme(Newsletter.open()[0]))

    assert "border-bottom:3px double" in notice.html
    assert "#69655e;text-decoration:underline" in notice.html.replace(" ", "")
    assert "Written in Galway.\n\nSee the library (https://lib.example/a_b?c=1&d)." in notice.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"accent": "red;}body{display:none"}, "Write it like #8a4b2d."),
        ({"faces": "comic"}, "Choose one of these."),
        ({"header": "</style><script>"}, "Choose one of these."),
        ({"long_mail": ""}, "Choose one of these."),
        ({"footer": "# A heading"}, "no headings, lists or pictures"),
        ({"footer": "- a list"}, "no headings, lists or pictures"),
        ({"footer": "![a picture](https://a.example/x.png)"}, "no headings, lists or pictures"),
        ({"footer": "x" * 1001}, "it can have 1,000"),
    ],
)
def test_looks_that_cannot_be_are_refused_beside_their_field_and_nothing_changes(
    desk: FlaskClient, wrong: dict[str, str], sentence: str
) -> None:
    answer = desk.post("/desk/settings/looks", data={**LOOKS, **wrong})

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert (here().accent, here().style, here().footer) == ("#8a4b2d", emails.Style(), "")


@pytest.mark.parametrize(
    "footer",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '[x](https://a.example/"onmouseover="alert(1))',
        "</p></td><style>*{display:none}</style>",
        "\\_\\_UNSUBSCRIBE_URL\\_\\_ {{ 7*7 }} {name|x}",
    ],
)
def test_nothing_in_a_footer_is_ever_markup(desk: FlaskClient, footer: str) -> None:
    desk.post("/desk/settings/looks", data={**LOOKS, "footer": footer})
    theme = content.theme(Newsletter.open()[0])
    letter = emails.compile_post(sample(), theme, emails.Audience.FREE)
    page = desk.application.test_client().get("/").text

    assert here().footer == footer
    for markup in (letter.html, page):
        shown = tree(markup)
        assert not shown.xpath("//script[contains(., 'alert')] | //@onmouseover | //body//style")
        assert not any(str(url).startswith("javascript") for url in shown.xpath("//@href"))
        assert "49" not in shown.text_content()
    assert emails.personal_html(letter, READER).count("https://leave.example") == 1


READER = emails.Recipient("ada@example.com", "m", unsubscribe_url="https://leave.example", view_url="https://v.example")


def sample() -> emails.PostContent:
    return emails.PostContent(
        title="T", document=emails.parse("Words."), url="https://a.example/p/t", date=datetime.date(2026, 11, 22)
    )


def test_a_preset_fills_in_the_form_and_changes_nothing(desk: FlaskClient) -> None:
    page = tree(desk.get("/desk/settings/looks?preset=broadsheet").text)
    chosen = {each.get("name"): each.get("value") for each in page.xpath("//form[@id='looks']//input[@checked]")}

    assert chosen["header"] == "centred"
    assert chosen["cards"] == "rules"
    assert page.xpath("//ul[@class='presets']//a[@aria-current]/text()") == ["Broadsheet"]
    assert here().style == emails.Style()


def test_looks_can_be_tried_without_being_saved(desk: FlaskClient) -> None:
    page = tree(desk.get(f"/desk/settings/looks?{urlencode(LOOKS)}&scheme=dark").text)
    (frame,) = page.xpath("//section[@id='sample']//iframe/@src")
    sample = desk.get(frame)

    assert "border-bottom:3px double" in sample.text
    assert "Written in Galway." in sample.text
    assert "@media all {" in sample.text
    assert "@media (prefers-color-scheme" not in sample.text
    assert sample.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert here().style == emails.Style()


@pytest.mark.parametrize("name", emails.PRESETS)
def test_every_preset_can_be_seen_before_it_is_chosen(desk: FlaskClient, name: str) -> None:
    style = emails.PRESETS[name].style
    shown = desk.get(f"/desk/settings/looks/sample?preset={name}").text

    assert ("border-bottom:3px double" in shown) == (style.header is emails.Header.CENTRED)
    assert emails.preset_of(style) == name


def test_a_sample_of_nonsense_is_the_present_letter(desk: FlaskClient) -> None:
    nonsense = dict.fromkeys(LOOKS, "</style><script>alert(1)</script>")

    shown = desk.get(f"/desk/settings/looks/sample?{urlencode(nonsense)}")

    assert shown.status_code == 200
    assert not tree(shown.text).xpath("//script")


def test_only_an_owner_may_see_and_change_the_looks(desk: FlaskClient, app: Flask) -> None:
    stranger = app.test_client()

    for answer in (stranger.get("/desk/settings/looks/sample"), stranger.post("/desk/settings/looks", data=LOOKS)):
        assert answer.status_code in {302, 403}
        assert "A letter to look at" not in answer.text
    assert here().style == emails.Style()


def test_an_accent_that_is_hard_to_read_is_told_while_it_is_chosen(desk: FlaskClient) -> None:
    said = seen(desk.get("/desk/settings/looks/accent?accent=%23ffd54a"))

    assert "links need 4.5 : 1, so they become #" in said
    assert "This is not a colour" in seen(desk.get("/desk/settings/looks/accent?accent=<script>"))


def picture(width: int = 300, height: int = 100, kind: str = "PNG") -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), "#8a4b2d").save(made, kind)
    return made.getvalue()


def upload(
    desk: FlaskClient,
    content: bytes,
    name: str = "logo.png",
    *,
    field: str = "logo",
    to: str = "/desk/settings/logo",
) -> str:
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--edge--\r\n"  # by hand: the client's own would leave a large file open
    return seen(desk.post(to, data=body, content_type="multipart/form-data; boundary=edge", follow_redirects=True))


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
    assert b"script" not in (storage.get(media.file_name) or b"script")


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
        (bomb(), "more than 50 million pixels"),
        (picture() + b"\0" * (15 * 1024 * 1024), "up to 15 MB"),
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


def test_a_dark_logo_stands_beside_the_light_one_and_is_shown_where_it_is_dark(desk: FlaskClient) -> None:
    upload(desk, picture())
    upload(desk, picture(400, 100), field="dark_logo", to="/desk/settings/logo/dark")
    theme = content.theme(Newsletter.open()[0])

    letter = emails.compile_post(sample(), theme, emails.Audience.FREE)
    light, dark = tree(letter.html).xpath("//p[@class='masthead']//img")
    page = tree(desk.application.test_client().get("/archive").text)

    assert theme.logo_url != theme.logo_dark_url
    assert (light.get("src"), dark.get("src")) == (theme.logo_url, theme.logo_dark_url)
    assert (dark.get("width"), dark.get("height")) == ("160", "40")
    assert "display:none" not in light.get("style", "")
    assert "display:none" in dark.get("style")
    assert '<!--[if !mso]><!--><img class="logo logo-dark"' in letter.html
    assert letter.html.count(".logo-dark { display: inline-block !important }") == 2
    assert page.xpath("//header//picture/source/@srcset") == [theme.logo_dark_url]
    assert page.xpath("//header//picture/source/@media") == ["(prefers-color-scheme: dark)"]


def test_a_dark_logo_needs_one_that_every_inbox_shows(desk: FlaskClient) -> None:
    said = upload(desk, picture(), field="dark_logo", to="/desk/settings/logo/dark")

    assert "Upload the logo itself first" in said
    assert here().logo_dark_key is None


def test_the_dark_logo_goes_with_the_other(desk: FlaskClient) -> None:
    upload(desk, picture())
    upload(desk, picture(), field="dark_logo", to="/desk/settings/logo/dark")
    desk.post("/desk/settings/logo/dark/remove")
    assert here().logo_key
    assert here().logo_dark_key is None

    upload(desk, picture(), field="dark_logo", to="/desk/settings/logo/dark")
    desk.post("/desk/settings/logo/remove")

    assert (here().logo_key, here().logo_dark_key) == (None, None)


def test_a_logo_alone_is_read_as_the_name(desk: FlaskClient) -> None:
    upload(desk, picture())
    desk.post("/desk/settings/looks", data={**LOOKS, "header": "logo"})

    letter = emails.compile_post(sample(), content.theme(Newsletter.open()[0]), emails.Audience.FREE)
    page = desk.application.test_client().get("/archive").text

    for shown in (tree(letter.html), tree(page)):
        (masthead,) = shown.xpath("//p[@class='masthead'] | //a[@class='masthead-name']")
        assert masthead.xpath(".//img/@alt") == ["Slow Letters"]
        assert "Slow Letters" not in masthead.text_content()


def test_a_very_wide_logo_stays_inside_the_page(desk: FlaskClient) -> None:
    upload(desk, picture(900, 10))

    theme = content.theme(Newsletter.open()[0])

    assert (theme.logo_width, theme.logo_height) == (320, 4)

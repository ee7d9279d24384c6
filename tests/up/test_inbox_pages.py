import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.up import letterbox

MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HTML = (
    '<!doctype html><html><head lang="en"><title>Letter</title></head><body><h1>Good morning, Ada</h1>'
    "<script>document.body.innerHTML = 'run'</script>"
    '<p><a href="http://127.0.0.1:1/p/one">Read more</a></p>'
    '<p><a href="https://example.org/"><img alt="Logo" src="x"></a></p>'
    "</body></html>"
)


def letter(subject: str = "What I’ve been reading", html: str = HTML, text: str = "Good morning, Ada") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "Ken’s letters <ken@example.org>", "ada@example.org", subject
    message["List-Unsubscribe"] = "<http://127.0.0.1:1/leave/token>, <mailto:leave+token@example.org>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


class Letters:
    """Puts mail into the inbox, a minute apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def add(self, content: bytes, address: str = "ada@example.org") -> str:
        self.count += 1
        now = MORNING + timedelta(minutes=self.count)
        return letterbox.keep(self.folder, content, "bounce@example.org", [address], now=now).name


@pytest.fixture
def letters(tmp_path: Path) -> Letters:
    return Letters(tmp_path)


@pytest.fixture
def inbox_app(settings: Settings, tmp_path: Path) -> Flask:
    return create_app(settings.model_copy(update={"inbox_dir": tmp_path, "site_url": "http://127.0.0.1:8000"}))


@pytest.fixture
def inbox(inbox_app: Flask) -> FlaskClient:
    return inbox_app.test_client()


def test_an_empty_inbox_says_how_to_fill_it(inbox: FlaskClient) -> None:
    assert "Nothing has arrived yet." in inbox.get("/inbox/").text


def test_the_newest_message_stands_first(inbox: FlaskClient, letters: Letters) -> None:
    letters.add(letter("First"), "ada@example.org")
    letters.add(letter("Second"), "grace@example.org")

    page = inbox.get("/inbox/").text

    assert "2 messages" in page
    assert page.index("Second") < page.index("First")


def test_messages_are_found_by_address(inbox: FlaskClient, letters: Letters) -> None:
    letters.add(letter("For Ada"), "ada+news@example.org")
    letters.add(letter("For Grace"), "grace@example.org")

    page = inbox.get("/inbox/?q=ADA%2Bnews").text

    assert "For Ada" in page
    assert "For Grace" not in page
    assert "No message has come for an address with “linus”" in inbox.get("/inbox/?q=linus").text


def test_fifty_stand_on_a_page_and_nothing_is_skipped(inbox: FlaskClient, letters: Letters) -> None:
    for number in range(1, 121):
        letters.add(letter(f"Issue no. {number}."))

    pages = [inbox.get(f"/inbox/?page={page}").text for page in (1, 2, 3)]

    assert [page.count("Issue no. ") for page in pages] == [50, 50, 20]
    assert "Issue no. 120." in pages[0]
    assert "51 to 100 of 120" in pages[1]
    assert "Issue no. 1." in inbox.get("/inbox/?page=99").text


@pytest.mark.slow
def test_thousands_of_messages_are_no_burden(inbox: FlaskClient, letters: Letters) -> None:
    for number in range(5000):
        name = (
            f"20261124T09{number // 60 % 60:02}{number % 60:02}.{number:06}Z-{number:06}-reader{number}@example.org.eml"
        )
        (letters.folder / name).write_bytes(b"Subject: Hello\r\n\r\n")

    began = time.perf_counter()
    page = inbox.get("/inbox/").text
    took = time.perf_counter() - began

    assert "5,000 messages" in page
    assert took < 1


def test_a_message_is_shown_in_all_its_views(inbox: FlaskClient, letters: Letters) -> None:
    name = letters.add(letter(text="The text part"))

    views = {
        view: inbox.get(f"/inbox/{name}?show={view}").text for view in ("html", "text", "links", "headers", "source")
    }

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in views["html"]
    assert "What I’ve been reading" in views["html"]
    assert "bounce@example.org" in views["html"]
    assert "The text part" in views["text"]
    for words in ("Read more", "http://127.0.0.1:1/p/one", "Logo", "mailto:leave+token@example.org"):
        assert words in views["links"]
    assert "List-Unsubscribe" in views["headers"]
    assert "Content-Type: multipart/alternative" in views["source"]


def test_the_file_comes_down_as_it_was_received(inbox: FlaskClient, letters: Letters) -> None:
    name = letters.add(b"From: ken@example.org\r\n\r\nGr\xfc\xdfe\r\n.\r\n")

    answer = inbox.get(f"/inbox/{name}/raw")

    assert answer.data == b"From: ken@example.org\r\n\r\nGr\xfc\xdfe\r\n.\r\n"
    assert answer.mimetype == "message/rfc822"


def test_the_html_part_can_do_nothing_but_be_read(inbox: FlaskClient, letters: Letters) -> None:
    name = letters.add(letter())

    answer = inbox.get(f"/inbox/{name}/body")

    policy_words = answer.headers["Content-Security-Policy"]
    assert policy_words.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy_words
    assert "allow-scripts" not in policy_words
    assert "allow-same-origin" not in policy_words
    assert '<head lang="en"><base target="_blank">' in answer.text


def test_markup_in_a_subject_stays_words(inbox: FlaskClient, letters: Letters) -> None:
    name = letters.add(letter("<script>alert(1)</script>"))

    for page in (inbox.get("/inbox/").text, inbox.get(f"/inbox/{name}?show=source").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"no header at all \xff\xfe",
        b"Subject: =?nonsense?q?=FF?=\r\nContent-Type: text/html; charset=klingon\r\n\r\n<a href='x'>\xff</a>",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<!-- -->\r\n--b--",
    ],
)
def test_a_broken_message_is_shown_all_the_same(inbox: FlaskClient, letters: Letters, content: bytes) -> None:
    name = letters.add(content)

    assert "ada@example.org" in inbox.get("/inbox/").text
    for view in ("html", "text", "links", "headers", "source"):
        assert inbox.get(f"/inbox/{name}?show={view}").status_code == 200
    assert inbox.get(f"/inbox/{name}/body").status_code == 200


def test_looking_changes_nothing_and_only_looking_is_possible(inbox: FlaskClient, letters: Letters) -> None:
    name = letters.add(letter())
    before = sorted(letters.folder.iterdir())

    for path in ("/inbox/", f"/inbox/{name}", f"/inbox/{name}/body", f"/inbox/{name}/raw"):
        assert inbox.get(path).status_code == 200
        assert inbox.post(path).status_code == 405

    assert sorted(letters.folder.iterdir()) == before


@pytest.mark.parametrize("name", ["nothing.eml", "..%2f..%2fetc%2fpasswd", "20261124T090000.000000Z-000001-..%2fx.eml"])
def test_only_messages_of_the_inbox_can_be_asked_for(inbox: FlaskClient, name: str) -> None:
    for path in (f"/inbox/{name}", f"/inbox/{name}/raw", f"/inbox/{name}/body"):
        assert inbox.get(path).status_code == 404


def test_it_answers_on_this_machine_only(inbox: FlaskClient, letters: Letters) -> None:
    letters.add(letter())

    assert inbox.get("/inbox/", environ_base={"REMOTE_ADDR": "203.0.113.7"}).status_code == 404
    assert inbox.get("/inbox/", headers={"Host": "evil.example"}).status_code == 404
    assert inbox.get("/inbox/", headers={"Host": "localhost:8000"}).status_code == 200


def test_without_an_inbox_there_are_no_such_pages(client: FlaskClient) -> None:
    assert client.get("/inbox/").status_code == 404


@pytest.fixture
def page(inbox_app: Flask) -> Iterator[Page]:
    server = make_server("127.0.0.1", 0, inbox_app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            yield browser.new_page(base_url=f"http://127.0.0.1:{server.port}", viewport={"width": 320, "height": 640})
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.browser
def test_in_a_browser_scripts_of_a_mail_stay_dead_and_links_open_beside_it(page: Page, letters: Letters) -> None:
    letters.add(letter(html=HTML.replace("http://127.0.0.1:1/p/one", "/inbox/")))

    page.goto("/inbox/")
    page.get_by_role("link", name="What I’ve been reading").click()
    mail = page.frame_locator("iframe")

    assert mail.get_by_role("heading").inner_text() == "Good morning, Ada"
    with page.expect_popup() as opened:
        mail.get_by_role("link", name="Read more").click()
    assert opened.value.get_by_role("heading", level=1).inner_text() == "1 message"
    assert page.evaluate("document.documentElement.scrollWidth") == 320

"""A publication, its letter and a reader, as plain values."""

from __future__ import annotations

import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from lxml import html as lxml_html

import emails

DEMO = Path(__file__).parents[2] / "newsletter" / "up" / "demo_post.md"
SENT_AT = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))

THEME = emails.Theme(
    publication_name="Slow Letters",
    newsletter_name="The weekly letter",
    site_url="https://letters.example.org",
    accent="#8a4b2d",
    logo_url="https://letters.example.org/logo.png",
    postal_address="12 Quay Street\nGalway, Ireland",
    subscribe_url="https://letters.example.org/#subscribe",
    upgrade_url="https://letters.example.org/support",
)

ADA = emails.Recipient(
    address="ada@example.com",
    name="Ada",
    message_id="i7r1.3f9a",
    unsubscribe_url="https://letters.example.org/leave/3f9a_b",
    unsubscribe_mailto="leave+3f9a@letters.example.org",
    preferences_url="https://letters.example.org/preferences/3f9a_b",
    view_url="https://letters.example.org/view/3f9a_b",
)

ENVELOPE = emails.Envelope(
    sender=emails.Sender("Mara Lindqvist", "mara@letters.example.org", "answers@letters.example.org"),
    date=SENT_AT,
    message_id_domain="letters.example.org",
    list_id="Slow Letters <weekly.lists.letters.example.org>",
    feedback_id="7:weekly:letter:slowletters",
    archive_url="https://letters.example.org/p/a-letter",
    help_url="https://letters.example.org/help",
)


def content(markdown: str = "Hello.", **changes: object) -> emails.PostContent:
    values: dict[str, object] = {
        "title": "A letter",
        "document": emails.parse(markdown),
        "url": "https://letters.example.org/p/a-letter",
        "share_url": "https://letters.example.org/p/a-letter/share",
        "date": SENT_AT.date(),
        "authors": ("Mara Lindqvist",),
    }
    return emails.PostContent(**(values | changes))  # type: ignore[arg-type]  # a test names fields freely


def demo() -> emails.PostContent:
    source = emails.read_post(DEMO.read_text())
    front = source.front
    return content(
        title=front.title,
        subtitle=front.subtitle,
        subject=front.subject,
        preheader=front.preheader,
        authors=front.authors,
        series=front.series,
        series_number=front.number,
        document=emails.parse(source.body, source.body_line),
    )


def letter(said: emails.PostContent | None = None, envelope: emails.Envelope = ENVELOPE) -> emails.Letter:
    compiled = emails.compile_post(said or content(), THEME, emails.Audience.FREE)
    return emails.build_letter(compiled, envelope)


def read(message: bytes) -> EmailMessage:
    """As Python's own parser understands it."""
    return message_from_bytes(message, policy=policy.default)


def tree(html: str) -> Any:  # lxml types what xpath finds as a union of everything
    return lxml_html.document_fromstring(html)


def part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")

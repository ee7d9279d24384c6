"""What people do with our pages and letters, in their words."""

import re
import time
from email.message import EmailMessage
from typing import Any

from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from newsletter import links
from newsletter.links import Purpose
from tests.doubles import text_of


def form_token(seconds_ago: int = 30) -> str:
    return links.sign(Purpose.FORM, int(time.time()) - seconds_ago)


def subscribe(
    client: FlaskClient, email: str, *newsletters: str, visitor: str = "192.0.2.7", **given: str
) -> TestResponse:
    """Fill in the form of our own page, at a human pace."""
    fields = {"email": email, "newsletter": list(newsletters or ["weekly"]), "token": form_token(), **given}
    return client.post(
        "/subscribe",
        data=fields,
        headers={"Referer": "http://letters.example.org/"},
        environ_base={"REMOTE_ADDR": visitor},
    )


def link_in(message: EmailMessage, page: str) -> str:
    """The address of a page of ours in a letter: `confirm`, `leave` …"""
    found = re.search(rf"http://letters\.example\.org(/{page}/\S+)", text_of(message))
    assert found, f"no link to /{page} in: {text_of(message)}"
    return found[1]


def code_in(message: EmailMessage) -> str:
    found = re.search(r"\b\d{6}\b", text_of(message))
    assert found
    return found[0]


def button_in(page: TestResponse, action: str) -> str:
    """Where a form of the page posts to."""
    found = re.search(rf'action="([^"]*/{action}/[^"]*)"', page.text)
    assert found, page.text
    return found[1]


def tree(markup: str) -> Any:  # what an XPath gives back, lxml's stubs cannot say
    return html.fromstring(markup)

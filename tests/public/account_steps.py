"""What a reader does to get into their account."""

import re

from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.jobs import Job
from tests.doubles import Outbox, text_of
from worker import tasks


def ask(client: FlaskClient, email: str, **form: str) -> int:
    """The address is typed; whatever letter is owed is sent."""
    answer = client.post("/sign-in", data={"email": email, **form})
    tasks.run(Job.SEND_NOTICES)
    db.session.expire_all()
    return answer.status_code


def code_and_link(outbox: Outbox) -> tuple[str, str]:
    """From the newest letter."""
    words = text_of(outbox[len(outbox) - 1])
    code = re.search(r"\b(\d{6})\b", words)
    link = re.search(r"http://[^/]+(/sign-in/\w+)", words)
    assert code, words
    assert link, words
    return code[1], link[1]


def sign_in(client: FlaskClient, outbox: Outbox, email: str) -> None:
    ask(client, email)
    answer = client.post("/sign-in/code", data={"code": code_and_link(outbox)[0]})
    assert answer.status_code == 303, answer.text


def proof_in(page: str) -> str:
    """The field that only a page shown to this reader holds."""
    found = re.search(r'name="proof" value="(\w+)"', page)
    assert found, page
    return found[1]


def press(client: FlaskClient, action: str, page: str = "/account", **form: str) -> str:
    """A button on a page of the account; what is shown then."""
    shown = client.get(page)
    assert shown.status_code == 200, shown.text
    return client.post(action, data={"proof": proof_in(shown.text), **form}, follow_redirects=True).text

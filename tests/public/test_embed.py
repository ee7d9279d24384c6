"""The form on other people's pages."""

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from lxml import html

from newsletter.publication.models import Newsletter
from newsletter.subscribers.models import Subscriber
from tests.doubles import JobQueue, Outbox
from tests.public.steps import form_token, link_in, tree


def snippet(client: FlaskClient) -> html.FormElement:
    form = tree(tree(client.get("/embed").text).get_element_by_id("snippet").text_content())
    assert isinstance(form, html.FormElement)
    return form


def test_the_snippet_signs_up_from_any_page_without_script(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    form = snippet(client)
    form.fields["email"] = "ada@example.com"

    answer = client.post(
        form.action,
        data=urlencode(form.form_values()),
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": "https://elsewhere.example", "Referer": "https://elsewhere.example/"},
    )
    jobs_queue.run()
    client.post(link_in(outbox[0], "confirm"))

    ada = Subscriber.by_key("ada@example.com")
    assert answer.location == "/subscribe/inbox"
    assert ada
    assert [newsletter.slug for newsletter in ada.newsletters] == ["weekly"]


def test_only_the_embedded_form_may_stand_in_a_frame(client: FlaskClient, weekly: Newsletter) -> None:
    for path in ("/embed/form", "/embed/inbox"):
        assert "frame-ancestors *" in client.get(path).headers["Content-Security-Policy"]
    for path in ("/", "/embed", "/subscribe", "/subscribe/inbox", "/archive"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize(("email", "status"), [("ada@example.com", 303), ("no address", 422)])
def test_the_framed_form_stays_in_its_frame(client: FlaskClient, weekly: Newsletter, email: str, status: int) -> None:
    answer = client.post("/embed/form", data={"email": email, "newsletter": "weekly", "token": form_token()})

    assert answer.status_code == status
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert answer.location in (None, "/embed/inbox")
    assert email == "ada@example.com" or 'action="/embed/form"' in answer.text

"""Readers sign in by their mailbox, and nobody else does."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import erasure, moving, suppression
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import ReaderSession, SignIn, Subscriber, SuppressionReason
from newsletter.subscribers.sign_in import MOST_A_DAY, MOST_TRIES
from tests import factories
from tests.doubles import Outbox
from tests.public.account_steps import ask, code_and_link, sign_in

ADA, SITE = "ada@example.com", "letters.example.org"


@pytest.fixture
def ada(weekly: Newsletter, outbox: Outbox) -> Subscriber:
    reader = factories.subscriber(ADA, on=[weekly])
    db.session.commit()
    return reader


def sessions() -> int:
    return db.session.scalar(select(func.count(ReaderSession.id))) or 0


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_a_reader_signs_in_by_the_code(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    assert client.get("/account").location == "/sign-in?next=/account"

    sign_in(client, outbox, ADA.upper())

    assert ADA in client.get("/account").text
    assert client.get("/sign-in").status_code == 303


def test_a_reader_signs_in_by_the_link_and_looking_at_it_signs_nobody_in(
    client: FlaskClient, ada: Subscriber, outbox: Outbox
) -> None:
    ask(client, ADA)
    _, link = code_and_link(outbox)

    assert "One more press" in client.get(link).text
    assert client.head(link).status_code == 200
    assert not is_in(client)
    assert client.post(link).status_code == 303
    assert is_in(client)


def test_the_link_is_of_no_use_in_another_browser(
    app: Flask, client: FlaskClient, ada: Subscriber, outbox: Outbox
) -> None:
    ask(client, ADA)
    _, link = code_and_link(outbox)
    other = app.test_client()
    ask(other, "mallory@example.com")  # has asked for something, too

    assert other.get(link).status_code == 403
    assert "in which you asked for it" in other.post(link).text
    assert not is_in(other)
    assert client.post(link).status_code == 303  # and the reader is not kept out by that


def test_the_code_is_of_no_use_in_another_browser(
    app: Flask, client: FlaskClient, ada: Subscriber, outbox: Outbox
) -> None:
    ask(client, ADA)
    code, _ = code_and_link(outbox)
    other = app.test_client()

    assert other.post("/sign-in/code", data={"code": code}).status_code == 422
    ask(other, "mallory@example.com")
    assert other.post("/sign-in/code", data={"code": code}).status_code == 422
    assert not is_in(other)


def test_code_and_link_are_good_once_and_for_minutes(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    sign_in(client, outbox, ADA)
    code, link = code_and_link(outbox)
    client.delete_cookie("reader", domain=SITE)

    assert client.post("/sign-in/code", data={"code": code}).status_code == 422
    assert client.post(link).status_code == 422
    ask(client, ADA)
    code, link = code_and_link(outbox)
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        assert client.post(link).status_code == 422
        assert client.post("/sign-in/code", data={"code": code}).status_code == 422
    assert not is_in(client)


def test_a_code_cannot_be_guessed(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    ask(client, ADA)
    code, link = code_and_link(outbox)
    wrong = f"{(int(code) + 1) % 10**6:06}"

    for left in range(MOST_TRIES - 1, -1, -1):
        said = client.post("/sign-in/code", data={"code": wrong}).text
        assert (f"{left} more" in said) is bool(left)
    assert client.post("/sign-in/code", data={"code": code}).status_code == 422
    assert client.post(link).status_code == 422
    assert sessions() == 0


def test_the_answer_is_the_same_for_every_address(app: Flask, ada: Subscriber, outbox: Outbox) -> None:
    def answers(email: str) -> list[object]:
        visitor = app.test_client()
        asked = visitor.post("/sign-in", data={"email": email})
        names = sorted(header for header, _ in asked.headers)
        pages = [visitor.get("/sign-in/code").text] + [
            visitor.post("/sign-in/code", data={"code": "000000"}).text for _ in range(MOST_TRIES + 1)
        ]
        strip = [page.split("<main", 1)[1] for page in pages]
        return [asked.status_code, asked.location, names, strip]

    assert answers(ADA) == answers("nobody@example.com")


def test_letters_go_to_readers_alone_and_not_too_many(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    factories.subscriber("pending@example.com", confirmed_at=None)
    factories.member(factories.subscriber("payer@example.com", confirmed_at=None, on=[]))
    gone = factories.subscriber("complained@example.com")
    suppression.suppress(gone.email_key or "", SuppressionReason.COMPLAINED)
    db.session.commit()

    for nobody in ("nobody@example.com", "pending@example.com", "complained@example.com"):
        ask(client, nobody)
    assert len(outbox) == 0
    ask(client, "payer@example.com")  # who pays can get in to cancel, whatever letters they get
    assert len(outbox) == 1
    for _ in range(MOST_A_DAY + 3):
        ask(client, ADA)
    assert len(outbox) == 1 + MOST_A_DAY


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil",
    ],
)
def test_nobody_is_sent_to_another_site(client: FlaskClient, ada: Subscriber, outbox: Outbox, elsewhere: str) -> None:
    ask(client, ADA, next=elsewhere)
    answer = client.post("/sign-in/code", data={"code": code_and_link(outbox)[0]})

    assert answer.location == "/account"
    assert client.get("/sign-in", query_string={"next": elsewhere}).location == "/account"


def test_a_reader_comes_back_to_the_page_they_came_from(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    ask(client, ADA, next="/p/on-slow-mail?from=mail")

    assert client.post("/sign-in/code", data={"code": code_and_link(outbox)[0]}).location == "/p/on-slow-mail?from=mail"


def test_signing_in_makes_a_secret_of_its_own_whatever_the_browser_brings(
    client: FlaskClient, ada: Subscriber, outbox: Outbox
) -> None:
    client.set_cookie("reader", "chosen by somebody else", domain=SITE)
    sign_in(client, outbox, ADA)
    first = client.get_cookie("reader", domain=SITE)
    ask(client, ADA)
    client.post(code_and_link(outbox)[1])
    second = client.get_cookie("reader", domain=SITE)

    assert first
    assert second
    assert "chosen by somebody else" not in (first.value, second.value)
    assert first.value != second.value
    assert sessions() == 1
    assert first.http_only
    assert first.same_site == "Lax"


def test_sessions_end_with_time_erasure_and_a_change_of_address(
    client: FlaskClient, ada: Subscriber, outbox: Outbox
) -> None:
    sign_in(client, outbox, ADA)
    with time_machine.travel(clock.now() + timedelta(days=59)):
        assert is_in(client)
    with time_machine.travel(clock.now() + timedelta(days=100)):
        assert is_in(client)  # was here in the meantime
    with time_machine.travel(clock.now() + timedelta(days=200)):
        assert not is_in(client)

    sign_in(client, outbox, ADA)
    moving._move(ada, Address("ada@new.example.com"))
    db.session.commit()
    assert not is_in(client)
    sign_in(client, outbox, "ada@new.example.com")
    erasure.forget(ada)
    db.session.commit()
    assert not is_in(client)
    assert sessions() == 0
    assert db.session.scalar(select(func.count(SignIn.id)).where(SignIn.subscriber_id == ada.id)) == 0


def test_what_a_signed_in_reader_sees_is_kept_by_no_cache(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    assert "Cookie" in client.get("/account").headers["Vary"]
    sign_in(client, outbox, ADA)

    shown = client.get("/account")

    assert shown.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in shown.headers["Vary"]


def test_no_secret_is_kept_as_it_is(client: FlaskClient, ada: Subscriber, outbox: Outbox) -> None:
    ask(client, ADA)
    code, _ = code_and_link(outbox)
    asking = client.get_cookie("asking", domain=SITE)
    client.post("/sign-in/code", data={"code": code})
    kept = "".join(str(db.session.execute(select(each.__table__)).all()) for each in (SignIn, ReaderSession))

    assert asking
    assert asking.value not in kept
    assert code not in kept
    assert ADA not in kept

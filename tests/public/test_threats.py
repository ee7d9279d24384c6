"""What people try against sign-up forms and mailed links, and what they get."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from werkzeug.middleware.proxy_fix import ProxyFix

from newsletter import clock, links
from newsletter.billing.models import Gift, Seat
from newsletter.db import Base, db
from newsletter.links import Purpose
from newsletter.public import network
from newsletter.publication.models import Newsletter
from newsletter.subscribers import codes, letters, preferences, private_feed, suppression
from newsletter.subscribers.models import Code, Notice, SignIn, Subscriber, SuppressionReason
from newsletter.tiers.models import MembershipKind
from tests import cast, factories
from tests.doubles import JobQueue, Outbox, text_of
from tests.public.posts import published
from tests.public.steps import form_token, link_in, subscribe

PAGES_WITH_TOKENS = {
    "/confirm/{}": Purpose.CONFIRM,
    "/refuse/{}": Purpose.REFUSE,
    "/leave/{}": Purpose.LEAVE,
    "/undo/{}": Purpose.UNDO_LEAVE,
    "/undo/{}/reason": Purpose.UNDO_LEAVE,
    "/preferences/{}": Purpose.PREFERENCES,
    "/preferences/{}/newsletters": Purpose.PREFERENCES,
    "/preferences/{}/name": Purpose.PREFERENCES,
    "/preferences/{}/pause": Purpose.PREFERENCES,
    "/preferences/{}/resume": Purpose.PREFERENCES,
    "/preferences/{}/address": Purpose.PREFERENCES,
    "/preferences/{}/address/code": Purpose.PREFERENCES,
    "/preferences/{}/erase": Purpose.PREFERENCES,
    "/preferences/{}/erase/code": Purpose.PREFERENCES,
    "/address/{}": Purpose.UNDO_ADDRESS,
    "/sign-in/{}": Purpose.SIGN_IN,
    "/feed/{}.xml": Purpose.FEED,
    "/gifts/{}": Purpose.GIFT,
    "/seats/{}": Purpose.SEAT,
}
ANSWERS = {"scope": "all", "newsletter": "daily", "name": "Eve", "until": "1", "email": "eve@example.com", "code": "1"}


@dataclass(frozen=True)
class Keys:
    """A good token for every purpose, all of one reader."""

    tokens: dict[Purpose, str]

    def urls(self) -> Iterator[tuple[str, str]]:
        for page, purpose in PAGES_WITH_TOKENS.items():
            yield page, page.format(self.tokens[purpose])


@pytest.fixture
def keys(client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox) -> Keys:
    weekly = Newsletter.by_slug("weekly")
    assert weekly
    ada = factories.subscriber("ada@example.com", on=[weekly], name="Ada")
    db.session.commit()
    left = preferences.leave(ada.id, weekly.id)
    code, _ = codes.make(ada, codes.ADDRESS, email="ada@new.example.com", old="ada@example.com")
    db.session.commit()
    subscribe(client, "ada@example.com", "daily")
    jobs_queue.run()
    notice = db.session.scalars(select(Notice)).one()
    client.post("/sign-in", data={"email": "ada@example.com"})  # in this browser
    asked = db.session.scalars(select(SignIn)).one()
    private_feed.make(ada)
    gift, seat = given_to("eve@example.com", by=ada)
    db.session.commit()
    jobs_queue.run()
    return Keys(
        {
            Purpose.CONFIRM: links.sign(Purpose.CONFIRM, ada.id, notice.id),
            Purpose.REFUSE: links.sign(Purpose.REFUSE, ada.id, notice.id),
            Purpose.LEAVE: links.sign(Purpose.LEAVE, ada.id, weekly.id, 7),
            Purpose.UNDO_LEAVE: left.undo_token,
            Purpose.PREFERENCES: links.sign(Purpose.PREFERENCES, ada.id),
            Purpose.UNDO_ADDRESS: links.sign(Purpose.UNDO_ADDRESS, ada.id, code.id),
            Purpose.GIFT: links.sign(Purpose.GIFT, gift.id),
            Purpose.SEAT: links.sign(Purpose.SEAT, seat.id),
            Purpose.FEED: links.sign(Purpose.FEED, ada.id, ada.feed_number),
            Purpose.SIGN_IN: links.sign(Purpose.SIGN_IN, asked.id),
        }
    )


def given_to(email: str, by: Subscriber) -> tuple[Gift, Seat]:
    """A gift that is paid, and a seat that is free to take."""
    group = factories.member(by, kind=MembershipKind.PAID, seats=2)
    gift = Gift(
        publication_id=by.publication_id,
        tier=group.tier,
        months=3,
        currency="EUR",
        amount=1500,
        giver_name="Ada",
        recipient_email=email,
        message="",
        deliver_for=clock.now(),
        paid_at=clock.now(),
    )
    seat = Seat(group_id=group.id, email=email)
    db.session.add_all([gift, seat])
    db.session.flush()
    return gift, seat


def everything_kept() -> str:
    db.session.rollback()
    tables = [table.name for table in Base.metadata.sorted_tables]
    rows = [str(db.session.execute(text(f'SELECT * FROM "{name}" ORDER BY 1')).all()) for name in tables]
    return "\n".join(rows)


def routes(app: Flask) -> set[str]:
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("public.")]
    return {rule.replace("<token>", "{}") for rule in rules if "<token>" in rule}


def test_the_table_of_pages_with_tokens_is_complete(app: Flask) -> None:
    assert routes(app) == set(PAGES_WITH_TOKENS)


def test_looking_changes_nothing_however_often(client: FlaskClient, keys: Keys) -> None:
    before = everything_kept()

    for _ in range(2):
        for method in ("GET", "HEAD", "OPTIONS"):
            for _, url in keys.urls():
                assert client.open(url, method=method).status_code in (200, 404, 405)

    assert everything_kept() == before


def test_a_key_for_one_door_opens_no_other(client: FlaskClient, keys: Keys) -> None:
    before = everything_kept()

    for page, purpose in PAGES_WITH_TOKENS.items():
        neutral = client.get("/leave/x").data if purpose is Purpose.LEAVE else None
        for other, token in keys.tokens.items():
            if other is purpose:
                continue
            for method in ("GET", "POST"):
                answer = client.open(page.format(token), method=method, data=ANSWERS)
                assert answer.status_code in (404, 405) or answer.data == neutral

    assert everything_kept() == before


def test_a_key_with_one_letter_changed_opens_nothing(client: FlaskClient, keys: Keys) -> None:
    before = everything_kept()

    for purpose, page in ((purpose, page) for page, purpose in PAGES_WITH_TOKENS.items() if page.count("/") == 2):
        token = keys.tokens[purpose]
        for at, letter in enumerate(token[:-1]):  # the last holds padding bits that no reader looks at
            wrong = token[:at] + ("b" if letter == "a" else "a") + token[at + 1 :]
            answer = client.post(page.format(wrong), data=ANSWERS)
            assert answer.status_code in (404, 405) or "did not reach us whole" in answer.text

    assert everything_kept() == before


def test_pages_with_keys_are_not_cached_listed_or_told_on(client: FlaskClient, keys: Keys) -> None:
    for _, url in keys.urls():
        for method in ("GET", "POST"):
            answer = client.open(url, method=method, data=ANSWERS)
            if answer.status_code == 405:
                continue
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Robots-Tag"] == "noindex"
            assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!letters\.example\.org)', answer.text)


def test_no_public_page_but_the_way_in_sets_a_cookie(client: FlaskClient, keys: Keys) -> None:
    published("On slow mail")
    paths = ["/", "/archive", "/p/on-slow-mail", "/p/on-slow-mail/share", "/p/none", "/feed.xml", "/robots.txt"]
    paths += ["/subscribe", "/subscribe/inbox", "/embed", "/embed/form", "/theme.css", "/account", "/support"]
    paths += [url for page, url in keys.urls() if page != "/sign-in/{}"]

    for path in paths:
        for method in ("GET", "POST"):
            assert "Set-Cookie" not in client.open(path, method=method, data=ANSWERS).headers


def test_nobody_learns_who_is_on_the_list(
    client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    cast.ada()
    cast.linus()
    suppression.suppress("eve@example.com", SuppressionReason.COMPLAINED)
    db.session.commit()
    subscribe(client, "pending@example.com")
    jobs_queue.run()

    addresses = ["ada@example.com", "linus@example.com", "eve@example.com", "pending@example.com", "new@example.com"]
    answers = [subscribe(client, address) for address in addresses]

    seen = {(answer.status_code, answer.data, answer.location, *sorted(answer.headers.keys())) for answer in answers}
    assert len(seen) == 1
    assert client.get(answers[0].location or "").text.count("example.com") == 0


def test_every_address_takes_the_same_work(client: FlaskClient, daily: Newsletter, jobs_queue: JobQueue) -> None:
    cast.ada()
    cast.linus()
    suppression.suppress("eve@example.com", SuppressionReason.COMPLAINED)
    db.session.commit()
    subscribe(client, "first@example.com")
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    def work_for(email: str) -> tuple[str, ...]:
        statements.clear()
        jobs_queue.waiting.clear()
        subscribe(client, email)
        return (*statements, *(job for job, _ in jobs_queue.waiting))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work = {work_for(f"{name}@example.com") for name in ("ada", "linus", "eve", "stranger", "other")}
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert len(work) == 1


def test_forms_sent_at_once_for_one_address_owe_one_message(
    app: Flask, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    db.session.commit()

    def send(_: int) -> int:
        return subscribe(app.test_client(), "ada@example.com").status_code

    with ThreadPoolExecutor(8) as people:
        assert set(people.map(send, range(16))) == {303}
    jobs_queue.run()

    assert outbox.addresses == ["ada@example.com"]


@pytest.mark.slow
def test_a_flood_from_one_network_ends_at_its_budget(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    for n in range(500):
        subscribe(client, f"victim{n % 200}@example.com", visitor=f"203.0.113.{n % 250}")
    jobs_queue.run()

    assert len(outbox) == 60
    assert subscribe(client, "ada@example.com", visitor="198.51.100.7").status_code == 303


def test_a_flood_without_our_form_gets_less(client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue) -> None:
    for n in range(60):
        client.post("/subscribe", data={"email": f"victim{n}@example.com", "newsletter": "weekly"})

    assert db.session.scalar(select(func.count()).select_from(Notice)) == 20


def test_a_forged_forwarded_address_helps_nobody(client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue) -> None:
    statuses = [
        client.post(
            "/subscribe",
            data={"email": f"victim{n}@example.com", "newsletter": "weekly", "token": form_token()},
            headers={"X-Forwarded-For": f"198.51.{n}.7", "Forwarded": f"for=198.51.{n}.7", "X-Real-IP": f"192.0.{n}.1"},
        ).status_code
        for n in range(80)
    ]

    assert statuses == [303] * 60 + [429] * 20


def test_behind_one_proxy_only_its_own_word_counts(app: Flask, weekly: Newsletter) -> None:
    seen: list[str] = []

    def note(environ: dict[str, str], start: object) -> list[bytes]:
        seen.append(network.truncated(environ["REMOTE_ADDR"]))
        return []

    behind = ProxyFix(note, x_for=1)
    behind({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.9, 203.0.113.7"}, None)  # type: ignore[arg-type]

    assert seen == ["203.0.113.0/24"]


@pytest.mark.parametrize(
    ("address", "neighbourhood"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::7", "2001:db8:1::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_a_visitor_is_known_by_the_neighbourhood(address: str, neighbourhood: str) -> None:
    assert network.truncated(address) == neighbourhood


def test_a_wrong_host_changes_no_link(
    client: FlaskClient, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    answer = client.post(
        "/subscribe",
        data={"email": "ada@example.com", "newsletter": "weekly"},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    jobs_queue.run()

    assert "evil" not in str(answer.headers)
    if len(outbox):  # a host that is not ours may be turned away at the door
        assert "evil" not in text_of(outbox[0])
        assert link_in(outbox[0], "confirm")


def test_markup_in_a_name_stays_text(client: FlaskClient, weekly: Newsletter) -> None:
    ada = factories.subscriber("ada@example.com", name="<script>alert(1)</script>")
    weekly.name = "<script>alert(2)</script>"
    db.session.commit()

    for url in (letters.preferences_url(ada.id), letters.leave_url(ada.id, weekly.id), "/", "/subscribe"):
        assert "<script>alert" not in client.get(url).text


def test_codes_cannot_be_guessed_side_by_side(
    app: Flask, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    ada = cast.ada()
    db.session.commit()
    page = letters.preferences_url(ada.id)
    app.test_client().post(f"{page}/erase")

    def guess(number: int) -> int:
        return app.test_client().post(f"{page}/erase/code", data={"code": f"{number:06}"}).status_code

    with ThreadPoolExecutor(8) as people:
        assert set(people.map(guess, range(24))) == {422}

    db.session.expire_all()
    assert db.session.scalars(select(Code.tries)).one() == codes.MOST_TRIES
    assert db.session.get_one(Subscriber, ada.id).erased_at is None


def test_hostile_forms_get_an_answer_and_no_more(client: FlaskClient, weekly: Newsletter) -> None:
    for value in (
        "\x00",
        "ada@example.com\r\nBcc: x@example.com",
        "a" * 100_000,
        "ada@example.com\u202e",
        "'; --",
        "ａda@example.com",
    ):
        for field in ("email", "name", "newsletter", "offered", "token"):
            answer = (
                subscribe(client, "ada@example.com", **{field: value}) if field != "email" else subscribe(client, value)
            )
            assert answer.status_code in (303, 413, 422, 429)

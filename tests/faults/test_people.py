"""What people do in the middle of a mailing: press twice, change their mind, leave, move, pay; and their names."""

import random
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from newsletter.accounts import owners
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.sending import control, ledger, letters
from newsletter.sending.models import Mailing
from newsletter.subscribers import erasure, leaving
from newsletter.subscribers.models import Subscriber
from newsletter.up import places
from tests import factories
from tests.faults.conftest import LONG, Check
from tests.faults.house import House, sent
from tests.faults.sink import Sink
from tests.journeys.processes import Process, wait_for

pytestmark = pytest.mark.faults

PASSWORD = "a quiet owl reads"
ROUNDS = 12 if LONG else 4
NASTY = (
    "\r\nBcc: everybody@example.com",
    "\nSubject: another one\n\nanother body",
    "a\x0bb\x0cc\x1dd\x85e\u2028f\u2029g",
    "\x01\x07\x1b[2J\x7f",
    '"; drop table',
    "<script>alert(1)</script>",
    "{{name}} {{7*7}} __UNSUBSCRIBE_URL__",
    "=?utf-8?q?already=20encoded?=",
    "=0D=0ABcc: x@example.com",
    ".",
    "..\r\n.\r\n",
    "\u202eright to left\u202c",
    "Zo\u0301e\u200d\u200b\ufeff",
    "👩‍👩‍👧‍👦" * 20,
    "\ud7ff\ufffd\U0010ffff",
    "名前" * 60,
    "x" * 300,
    "a b\tc   d",
    "Smith, Ada <ada@example.com>",
    "&amp;&lt;&#0;",
    "%0d%0aBcc:x %s {0}",
    '\\\\" \\r\\n',
    "",
)


def test_send_is_pressed_by_twenty_at_once(house: House, sink: Sink, check: Check) -> None:
    house.readers(300)
    owners.create_owner("ken@example.com", "Ken", PASSWORD)
    factories.post()
    db.session.commit()
    port = places.free_port()
    site = f"http://127.0.0.1:{port}"
    with (
        Process(
            house.settings,
            sink.url(),
            *("gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "20"),
            *("--no-control-socket", "newsletter.app:create_app()"),
        ) as web,
        house.worker(sink.url()) as worker,
    ):
        wait_for(lambda: places.is_open(port), 30, "the desk is open", web)
        cookies = CookieJar()
        _press(cookies, f"{site}/desk/sign-in", email="ken@example.com", password=PASSWORD)
        form = {"when": "now", "csrf_token": _token(cookies, f"{site}/desk/posts/1/schedule")}
        with ThreadPoolExecutor(20) as presses:
            answers = list(presses.map(lambda _: _post(cookies, f"{site}/desk/posts/1/schedule", form), range(20)))
        assert 200 in answers
        assert set(answers) <= {200, 409, 422}
        wait_for(lambda: house.asked("SELECT count(*) FROM mailing") == 1, 30, "it is a mailing", worker)
        house.finish(worker)
    assert house.asked("SELECT count(*) FROM mailing") == 1
    check(unconfirmed=0)


def test_pause_go_on_and_stop_at_random_moments(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(1500)
    mailing = house.begin()
    sink.behave(delay=0.01)
    with house.worker(sink.url(connections=2)) as worker:
        for round_ in range(ROUNDS):
            sent(sink, round_ * 1200 // ROUNDS + dice.randrange(20, 100), worker)
            control.pause(mailing)
            db.session.commit()
            time.sleep(1.0)
            paused_at = len(sink)
            time.sleep(0.5)
            assert len(sink) == paused_at
            control.go_on(mailing)
            db.session.commit()
        control.stop(mailing)
        db.session.commit()
        house.finish(worker)
        account = check(unconfirmed=0)
        assert account.outcomes["skipped"] == 1500 - len(sink) > 0

        unreached = control.send_to_unreached(db.session.get_one(Mailing, 1))
        assert control.send_to_unreached(db.session.get_one(Mailing, 1)).id == unreached.id
        db.session.commit()
        house.finish(worker, mailing_id=unreached.id)
    assert Counter(kept.message_id for kept in sink.messages()).most_common(1)[0][1] == 1
    assert len(sink) == 1500


def test_readers_leave_are_erased_move_and_upgrade(house: House, sink: Sink, check: Check) -> None:
    house.readers(1000)
    house.begin()
    sink.behave(delay=0.01)
    with house.worker(sink.url(connections=2), processes=1) as worker:
        sent(sink, 150, worker)
        for leaves, is_erased, moves, upgrades in ((1, 2, 3, 4), (991, 992, 993, 994)):  # had it; still to come
            leaving.leave(leaves, 1)
            erasure.forget(db.session.get_one(Subscriber, is_erased))
            moved = db.session.get_one(Subscriber, moves)
            moved.email = moved.email_key = f"moved{moves}@example.com"
            factories.member(db.session.get_one(Subscriber, upgrades))
        db.session.commit()
        house.finish(worker)
    account = check(unconfirmed=0)
    recipients = {kept.recipient for kept in sink.messages()}
    assert account.outcomes == {"accepted": 998, "skipped": 2}
    assert {"reader1@example.com", "reader2@example.com", "reader3@example.com", "moved993@example.com"} <= recipients
    assert not {f"reader{number}@example.com" for number in (991, 992, 993)} & recipients
    assert _variant_of(994) == "paying"
    assert _variant_of(4) == "free"


def test_ten_thousand_readers_with_hostile_names(house: House, sink: Sink, check: Check, dice: random.Random) -> None:
    house.readers(10_000)
    names = [dice.choice(NASTY) + "".join(map(_letter, [dice] * dice.randrange(6))) for _ in range(10_000)]
    db.session.execute(
        text("UPDATE subscriber SET name = :name WHERE id = :id"),
        [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    )
    db.session.commit()
    house.schedule("Dear {name|reader}")
    house.ring(Job.START_DUE_MAILINGS)
    with house.worker(sink.url()) as worker:
        house.finish(worker, 120)
    account = check(unconfirmed=0)
    assert account.outcomes == {"accepted": 10_000}

    approved = letters.load(1)
    kept = {each.recipient: each for each in sink.messages()}
    shape = None
    for reader in ledger.readers(range(1, 10_001), 1):
        content = approved.message_for(reader).content
        assert kept[reader.email].digest == sha256(content).hexdigest()
        shape = shape or _headers(content)
        assert _headers(content) == shape  # nothing more, nothing else
        lines = content.split(b"\r\n")
        assert content.isascii()
        assert content.count(b"\n") == content.count(b"\r") == len(lines) - 1
        assert max(map(len, lines)) <= 998
        assert not any(line.startswith(b".") for line in lines)


def _letter(dice: random.Random) -> str:
    code = dice.choice((dice.randrange(1, 256), dice.randrange(0x300, 0x3000), dice.randrange(0x1F300, 0x1FAFF)))
    return chr(code)


def _headers(content: bytes) -> list[bytes]:
    head = content.partition(b"\r\n\r\n")[0]
    return [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]


def _variant_of(reader_id: int) -> str:
    query = "SELECT audience FROM delivery JOIN variant ON variant.id = variant_id WHERE subscriber_id = :id"
    return str(db.session.scalar(text(query), {"id": reader_id}))


def _press(cookies: CookieJar, url: str, **form: str) -> int:
    return _post(cookies, url, {**form, "csrf_token": _token(cookies, url)})


def _token(cookies: CookieJar, url: str) -> str:
    page = _opener(cookies).open(url, timeout=30).read().decode()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def _post(cookies: CookieJar, url: str, form: dict[str, str]) -> int:
    try:
        with _opener(cookies).open(url, urlencode(form).encode(), timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _opener(cookies: CookieJar) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

"""Why a mailing is slow, on its page."""

import pytest
from flask.testing import FlaskClient

from newsletter import clock, config
from newsletter.db import db
from newsletter.limits import Limits
from newsletter.sending import lanes
from newsletter.sending.back_off import BLOCKED
from newsletter.sending.models import Mailing
from newsletter.terminal.mailing import follow
from tests.admin.conftest import seen
from tests.admin.test_sends import finish
from tests.admin.test_sends import mailing as mailing


def restarted(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """With these settings."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> object:
    yield
    monkeypatch.undo()
    config.settings.cache_clear()


def page_of(desk: FlaskClient, mailing: Mailing) -> str:
    return seen(desk.get(f"/desk/sends/{mailing.id}"))


def test_where_nothing_is_limited_nothing_is_said(desk: FlaskClient, mailing: Mailing) -> None:
    assert "Lanes" not in page_of(desk, mailing)


def test_each_lane_is_told_with_its_limits_and_the_servers_words(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted(monkeypatch, DESTINATION_LIMITS="google: 20/s 5000/h; microsoft: 10000/d; orange.fr: 7/h")
    at = lanes.span(lanes.zone(), clock.now())
    lanes.reserve("google", 312, Limits(per_hour=5000), at)
    lanes.reserve("orange.fr", 7, Limits(per_hour=7), at)
    lanes.slow_down("127.0.0.1:1/google", "421 4.7.28 unusual rate <b>")
    lanes.close("127.0.0.1:1/yahoo", BLOCKED, "550 5.7.1 blocked")

    page = page_of(desk, mailing)

    assert "Google Slowed to 50 % of its speed" in page
    assert "its speed 312 of 5,000 this hour, at most 20 a second The server’s words: “421 4.7.28" in page
    assert "“421 4.7.28 unusual rate <b>”" in page
    assert page.count("Google") == 1
    assert "Microsoft Open 0 of 10,000 today" in page
    assert "Yahoo and AOL Closed until t" in page
    assert "orange.fr Used up until t" in page
    assert "Nothing more leaves" not in page


def test_a_day_that_is_used_up_is_said_with_when_it_goes_on(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.now().astimezone(lanes.zone()).date()
    restarted(monkeypatch, WARM_UP_SINCE=today.isoformat())
    lanes.reserve("warm-up", 50, Limits(per_day=50), lanes.span(lanes.zone(), clock.now()))

    page = page_of(desk, mailing)

    assert "Nothing more leaves until tomorrow 00:00" in page
    assert "It goes on by itself" in page
    assert "Warm-up, day 1 Used up until tomorrow 00:00" in page
    assert "50 of 50 today" in page


def test_one_relay_of_two_that_is_used_up_does_not_stop_everything(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted(monkeypatch, MAIL_URL="smtp://user:secret@one.example.org?per_day=5 smtp://two.example.org")
    lanes.reserve("one.example.org", 5, Limits(per_day=5), lanes.span(lanes.zone(), clock.now()))

    page = page_of(desk, mailing)

    assert "All mail by one.example.org Used up until tomorrow 00:00" in page
    assert "Nothing more leaves" not in page
    assert "secret" not in page


def test_when_it_is_over_lanes_are_of_no_interest(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted(monkeypatch, DESTINATION_LIMITS="google: 20/s")
    assert "Lanes" in page_of(desk, mailing)
    finish(mailing)
    db.session.expire_all()

    assert "Lanes" not in page_of(desk, mailing)


def test_the_terminal_says_it_as_well(
    desk: FlaskClient, mailing: Mailing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    restarted(monkeypatch)
    lanes.close("127.0.0.1:1/yahoo", BLOCKED, "550 5.7.1 blocked")
    lanes.slow_down("127.0.0.1:1/google", "421 4.7.28 unusual rate")

    follow(mailing.id, patience=0.1)

    told = " ".join(capsys.readouterr().out.split())
    assert "Yahoo and AOL closed for 1 h 0 min, Google slowed to 50 %" in told

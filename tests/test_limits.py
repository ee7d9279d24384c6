"""Limits as people write them: read exactly, or refused with a sentence that stops the start."""

import pytest

from newsletter.config import BadSettings, read_settings
from newsletter.limits import Limits, of_destinations
from newsletter.relays import read_all

GIVEN = {
    "secret_key": "a key for tests only that is long enough",
    "database_url": "postgresql://localhost/x",
    "redis_url": "redis://localhost/0",
    "mail_url": "smtp://127.0.0.1",
    "site_url": "https://letters.example.org",
}


def test_limits_of_destinations_are_read() -> None:
    assert of_destinations("google: 20/s 5000/h; Microsoft: 0.5/s, 10000/d;\nwp.pl: 7/h;") == {
        "google": Limits(20.0, 5000, None),
        "microsoft": Limits(0.5, None, 10000),
        "wp.pl": Limits(None, 7, None),
    }
    assert of_destinations(" ") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("google 20/s", "“google 20/s” is not a group with its limits, like “google: 20/s 5000/h”"),
        ("google:", "“google:” is not a group with its limits, like “google: 20/s 5000/h”"),
        ("gmail: 20/s", "“gmail” is no group: write google, microsoft, yahoo, apple, or a domain like example.org"),
        ("google: 20/m", "“20/m” of google is no limit: write 20/s, 5000/h or 10000/d"),
        ("google: fast", "“fast” of google is no limit: write 20/s, 5000/h or 10000/d"),
        ("google: 0/s", "“0/s” of google: the limit must be a number above zero, not “0”"),
        ("google: 1.5/h", "“1.5/h” of google: the limit must be a whole number of 1 or more, not “1.5”"),
        ("google: 5/s 6/s", "google has two limits for the same time: “5/s 6/s”"),
        ("google: 5/s; google: 7/h", "“google” is there twice"),
    ],
)
def test_what_is_no_limit_stops_the_start(text: str, words: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read_settings(**GIVEN, destination_limits=text)

    assert f"DESTINATION_LIMITS: {words}" in str(refusal.value)


def test_relays_are_read_with_what_they_ask_for() -> None:
    first, second, third = read_all(
        (
            "smtp://user:secret@mail.example.org:587?weight=3&connections=8&per_second=12.5&per_hour=9&per_day=10",
            "ses://key:secret@eu-west-1?weight=0",
            "ses://other:secret@eu-west-1",
        )
    )

    assert (first.name, first.weight, first.connections) == ("mail.example.org:587", 3, 8)
    assert first.limits == Limits(12.5, 9, 10)
    assert (second.name, second.weight, second.connections, second.limits) == ("eu-west-1", 0, 4, Limits())
    assert third.name == "eu-west-1 2"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("weight=-1", "weight must be a whole number from 0 to 1000, not “-1”"),
        ("weight=heavy", "weight must be a whole number from 0 to 1000, not “heavy”"),
        ("weight=", "weight must be a whole number from 0 to 1000, not “”"),
        ("connections=0", "connections must be a whole number from 1 to 200, not “0”"),
        ("per_second=nan", "per_second must be a number above zero, not “nan”"),
        ("per_hour=1e3", "per_hour must be a whole number of 1 or more, not “1e3”"),
        ("per_day=0", "per_day must be a whole number of 1 or more, not “0”"),
        ("per_minute=5", "“per_minute” is no limit: there are per_second, per_hour, per_day"),
        ("weight=0", "at least one way out needs a weight above 0"),
    ],
)
def test_what_a_relay_cannot_be_asked_stops_the_start(query: str, words: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read_settings(**{**GIVEN, "mail_url": f"smtp://user:secret@mail.example.org?{query}"})

    assert f"MAIL_URL: {words}" in str(refusal.value)
    assert "secret@" not in str(refusal.value)


def test_a_port_that_is_none_stops_the_start() -> None:
    with pytest.raises(BadSettings, match=r"MAIL_URL: the port of mail\.example\.org must be a number up to 65535"):
        read_settings(**{**GIVEN, "mail_url": "smtp://mail.example.org:smtp"})

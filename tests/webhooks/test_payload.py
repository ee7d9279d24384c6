"""Reading what others wrote."""

from datetime import UTC, datetime

import pytest

from newsletter.webhooks import payload


@pytest.mark.parametrize(
    ("told", "reply", "status"),
    [
        ("5.1.1", "", "5.1.1"),
        ("5.1.1", "550 5.7.1 blocked", "5.1.1"),
        ("5.0.0", "550 5.7.1 blocked", "5.7.1"),
        ("5.0.0", "blocked", "5.0.0"),
        ("", "550 5.1.1 unknown", "5.1.1"),
        ("", "smtp;550 5.1.1 unknown", "5.1.1"),
        ("", "smtp; 550-5.1.1 The account\n550 5.1.1 more", "5.1.1"),
        ("", "550 #5.1.1 unknown", "5.1.1"),
        ("", "5.1.1 unknown", "5.1.1"),
        ("", "expired <421 4.4.0 no DNS>", "4.4.0"),
        ("", "550 unknown user", ""),
        ("", "550 4.1.1 of another class", ""),
        ("", "550 5.1.1.7 is an IP address", ""),
        ("", "from 5.1.1.7: unknown", ""),
        ("", "rejected by Exim 4.98.2", ""),
        ("", "5.1.1.1 said no", ""),
        ("", "5.1.1234 said no", ""),
        ("6.1.1", "", ""),
        ("5.1", "", ""),
        (511, "", ""),
        (None, "", ""),
        ("5.1.1\n", "", "5.1.1"),
    ],
)
def test_the_most_exact_code_is_found_and_nothing_else_is_taken_for_one(told: object, reply: str, status: str) -> None:
    assert payload.status(told, reply) == status


def test_no_text_is_too_long_or_impossible_to_store() -> None:
    assert payload.text("a\0b\ud800c") == "ab?c"
    assert len(payload.text("ä" * 5000)) == payload.MOST_WORDS
    assert payload.text(True) == payload.text(None) == payload.text({}) == ""
    assert payload.text(550) == "550"


def test_events_without_a_name_are_told_apart_by_all_that_is_in_them() -> None:
    nameless = [payload.name("", {"a": number}) for number in range(3)]

    assert len(set(nameless)) == 3
    assert payload.name("", {"a": 1, "b": 2}) == payload.name(None, {"b": 2, "a": 1})
    assert payload.name("x" * 201, {"a": 1}) != payload.name("x" * 202, {"a": 2})


@pytest.mark.parametrize("never", ["", "never", "2026-11-24", None, {}, float("nan"), float("inf"), 1e300, -1e300])
def test_what_is_no_moment_is_none(never: object) -> None:
    assert payload.moment(never) is None


def test_moments_are_read_as_providers_write_them() -> None:
    moment = datetime(2026, 11, 24, 20, 28, 50, 396393, tzinfo=UTC)

    assert payload.moment("2026-11-24T16:28:50.3963933-04:00") == moment
    assert payload.moment("2026-11-24T20:28:50.396393Z") == moment
    assert payload.moment(moment.timestamp()) == moment


def test_our_token_is_found_under_its_names_alone_or_in_a_list() -> None:
    assert payload.token({"newsletter_token": "a", "token": "b"}) == "a"
    assert payload.token({"newsletter_token": [], "token": ["b"]}) == "b"
    assert payload.token({"Token": "c"}) == payload.token(["a"]) == payload.token(None) == ""

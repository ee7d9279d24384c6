"""Signed links: one purpose each, for ever, and no address inside."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from newsletter import config, links
from newsletter.links import BadLink, Purpose

pytestmark = pytest.mark.usefixtures("settings")


@given(st.sampled_from(list(Purpose)), st.lists(st.integers(0, 2**64 - 1), max_size=4))
def test_what_was_signed_is_read_back(purpose: Purpose, numbers: list[int]) -> None:
    assert links.read(purpose, links.sign(purpose, *numbers)) == tuple(numbers)


def test_a_token_is_good_for_its_own_purpose_only() -> None:
    token = links.sign(Purpose.LEAVE, 7, 1, 3)
    for other in Purpose:
        if other is not Purpose.LEAVE:
            with pytest.raises(BadLink):
                links.read(other, token)


def test_every_changed_character_breaks_it() -> None:
    token = links.sign(Purpose.LEAVE, 7, 1, 3)
    for position, character in enumerate(token):
        changed = token[:position] + ("a" if character != "a" else "b") + token[position + 1 :]
        if position == len(token) - 1:
            continue  # the last character carries bits that base32 leaves unused
        with pytest.raises(BadLink):
            links.read(Purpose.LEAVE, changed)


@given(st.text(max_size=80))
def test_noise_is_refused_and_nothing_else(noise: str) -> None:
    with pytest.raises(BadLink):
        links.read(Purpose.LEAVE, noise)


def test_no_token_looks_like_the_address_of_a_purse_and_those_that_did_are_good_still() -> None:
    tokens = {number: links.sign(Purpose.CONFIRM, number, 7) for number in range(300)}

    assert not [token for token in tokens.values() if token.startswith("3")]
    guarded = {number: token for number, token in tokens.items() if token.startswith("z3")}
    assert guarded  # one in thirty-two
    for number, token in guarded.items():
        assert links.read(Purpose.CONFIRM, token) == (number, 7)
        assert links.read(Purpose.CONFIRM, token.removeprefix("z")) == (number, 7)  # as it stands in older letters


def test_mail_clients_may_fold_the_case() -> None:
    token = links.sign(Purpose.LEAVE, 7, 1, 3)
    assert links.read(Purpose.LEAVE, token.upper()) == (7, 1, 3)


def test_a_leave_token_fits_the_local_part_of_an_address() -> None:
    assert len("leave+" + links.sign(Purpose.LEAVE, 10**9, 10**6, 10**9)) <= 64


def test_links_signed_with_an_earlier_key_go_on_working(monkeypatch: pytest.MonkeyPatch) -> None:
    token = links.sign(Purpose.LEAVE, 7, 1, 3)
    was = config.settings()
    rotated = config.read_settings(
        secret_key="another key just as long as the first one", secret_key_fallbacks=was.all_secret_keys[0]
    )
    monkeypatch.setattr(links, "settings", lambda: rotated)

    assert links.read(Purpose.LEAVE, token) == (7, 1, 3)
    assert links.sign(Purpose.LEAVE, 7, 1, 3) != token
    assert links.fingerprint("address", "ada@example.com") == _fingerprint_under(was)


def _fingerprint_under(settings: config.Settings) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "settings", lambda: settings)
        return links.fingerprint("address", "ada@example.com")


def test_bad_settings_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "short")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    monkeypatch.delenv("SITE_URL")
    with pytest.raises(config.BadSettings) as caught:
        config.read_settings()
    assert "SECRET_KEY: must have at least 32 characters" in caught.value.sentence
    assert "DATABASE_URL: must be a postgresql:// address" in caught.value.sentence
    assert "SITE_URL: is not set" in caught.value.sentence


def test_settings_do_not_show_secrets(app: Flask) -> None:
    assert config.settings().secret_key.get_secret_value() not in repr(config.settings())

"""Keys that sign our mail: found at the start, used for everything that leaves."""

from datetime import timedelta
from pathlib import Path

import pytest

import emails
from newsletter import clock, config, signing
from newsletter.app import create_app
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import ledger, letters, rehearsal
from tests import cast, factories
from tests.doubles import JobQueue, Outbox
from tests.emails.keys import ed25519_pem, rsa_pem


@pytest.fixture
def keys(settings: config.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rsa, ed25519 = tmp_path / "rsa.pem", tmp_path / "ed25519.pem"
    rsa.write_bytes(rsa_pem())
    ed25519.write_bytes(ed25519_pem())
    with_keys = config.read_settings(
        dkim_key=rsa, dkim_selector="r1", dkim_ed25519_key=ed25519, dkim_ed25519_selector="e1"
    )
    monkeypatch.setattr(config, "settings", lambda: with_keys)


@pytest.mark.usefixtures("keys")
def test_every_message_is_signed_for_the_domain_of_its_sender(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    post = factories.post()
    publishing.schedule(post, clock.now(), "Europe/Berlin")
    rehearsal.send_test(post, "ken@example.com", "Ken")
    db.session.commit()

    jobs_queue.run()

    assert sorted(outbox.addresses) == ["ada@example.com", "ken@example.com"]
    for message in (outbox[0], outbox[1]):
        signatures = ["".join(each.split()) for each in message.get_all("DKIM-Signature", [])]
        assert [f"d={post.newsletter.sender_domain};" in each for each in signatures] == [True, True]
        assert ["a=rsa-sha256" in signatures[0], "a=ed25519-sha256" in signatures[1]] == [True, True]


@pytest.mark.usefixtures("keys")
def test_a_message_made_again_is_the_same_with_its_signatures(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    publishing.schedule(factories.post(), clock.now() - timedelta(seconds=1), "Europe/Berlin")
    db.session.commit()
    jobs_queue.run()

    again = [letters.load(1).message_for(reader) for reader in [_reader()] * 2]

    assert again[0].content == again[1].content
    assert again[0].content.startswith(b"DKIM-Signature:")


@pytest.mark.parametrize("has_keys", [True, False])
def test_many_at_once_are_the_same_and_who_cannot_be_written_to_keeps_no_other_waiting(
    request: pytest.FixtureRequest, jobs_queue: JobQueue, outbox: Outbox, has_keys: bool
) -> None:
    if has_keys:
        request.getfixturevalue("keys")
    cast.ada()
    publishing.schedule(factories.post(), clock.now() - timedelta(seconds=1), "Europe/Berlin")
    db.session.commit()
    jobs_queue.run()
    made = letters.load(1)
    readers = [_reader(), _reader("grace@example.com\r\nBcc: x@example.com"), _reader("ken@example.com", kind="paying")]

    ada, grace, ken = made.messages_for(readers)

    assert isinstance(grace, emails.LetterError)
    assert [ada, ken] == [made.message_for(readers[0]), made.message_for(readers[2])]
    assert [each.content.count(b"DKIM-Signature:") for each in (ada, ken)] == [2 * has_keys] * 2  # type: ignore[union-attr]


def _reader(email: str = "ada@example.com", *, kind: str = "free") -> letters.Addressee:
    return ledger.Reader(1, email, "Ada", kind, may_be_mailed=True)


def test_without_keys_nothing_is_signed(jobs_queue: JobQueue, outbox: Outbox) -> None:
    cast.ada()
    publishing.schedule(factories.post(), clock.now() - timedelta(seconds=1), "Europe/Berlin")
    db.session.commit()

    jobs_queue.run()

    assert outbox[0]["DKIM-Signature"] is None


def missing(folder: Path) -> dict[str, object]:
    return {"dkim_key": folder / "nowhere.pem", "dkim_selector": "a"}


def no_selector(folder: Path) -> dict[str, object]:
    (folder / "key.pem").write_bytes(rsa_pem())
    return {"dkim_key": folder / "key.pem"}


def no_key(folder: Path) -> dict[str, object]:
    (folder / "key.pem").write_bytes(b"nonsense")
    return {"dkim_key": folder / "key.pem", "dkim_selector": "a"}


def of_the_wrong_kind(folder: Path) -> dict[str, object]:
    (folder / "key.pem").write_bytes(ed25519_pem())
    return {"dkim_key": folder / "key.pem", "dkim_selector": "a"}


def alone(folder: Path) -> dict[str, object]:
    (folder / "key.pem").write_bytes(ed25519_pem())
    return {"dkim_ed25519_key": folder / "key.pem", "dkim_ed25519_selector": "a"}


@pytest.mark.parametrize(
    ("spoiled", "sentence"),
    [
        (missing, "DKIM_KEY: .*nowhere.pem cannot be read: No such file"),
        (no_selector, "DKIM_SELECTOR: “” cannot be a selector"),
        (no_key, "DKIM_KEY: .* is not a private key"),
        (of_the_wrong_kind, "DKIM_KEY: .* holds a key for ed25519-sha256"),
        (alone, "DKIM_ED25519_KEY needs DKIM_KEY"),
    ],
)
def test_keys_that_cannot_be_used_stop_the_start(
    settings: config.Settings,
    tmp_path: Path,
    spoiled: object,
    sentence: str,
) -> None:
    assert callable(spoiled)
    with pytest.raises(config.BadSettings, match=sentence):
        create_app(config.read_settings(**spoiled(tmp_path)))


def test_the_domain_is_written_as_the_dns_knows_it() -> None:
    assert signing.domain("mara@bücher.example") == "xn--bcher-kva.example"

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import clock, config
from newsletter.accounts import owners, passwords, sessions
from newsletter.accounts.models import AuditEntry, Role, StaffSession, User
from newsletter.db import db

PASSWORD = "a quiet owl reads"


def ken() -> User:
    return owners.create_owner("Ken@Example.com", "Ken", PASSWORD)


def test_an_owner_signs_in_with_the_address_in_any_case(app: Flask) -> None:
    ken()

    signed_in = sessions.sign_in("KEN@example.COM ", PASSWORD)

    assert signed_in.user.role is Role.OWNER
    current = sessions.current(signed_in.secret)
    assert current is not None
    assert current.user.name == "Ken"


def test_the_table_of_sessions_lets_nobody_in(app: Flask) -> None:
    ken()

    secret = sessions.sign_in("ken@example.com", PASSWORD).secret

    stored = db.session.scalars(select(StaffSession)).one().secret_hash
    assert secret.encode() not in stored
    assert len(secret) >= 43  # 256 bits
    assert sessions.current(stored.hex()) is None


def test_a_session_ends_by_itself(app: Flask) -> None:
    ken()
    secret = sessions.sign_in("ken@example.com", PASSWORD).secret

    db.session.scalars(select(StaffSession)).one().expires_at = clock.now() - timedelta(seconds=1)

    assert sessions.current(secret) is None


def test_a_closed_account_is_out_at_once_and_stays_out(app: Flask) -> None:
    owner = ken()
    secret = sessions.sign_in("ken@example.com", PASSWORD).secret

    owner.disabled_at = clock.now()

    assert sessions.current(secret) is None
    with pytest.raises(sessions.WrongSignIn):
        sessions.sign_in("ken@example.com", PASSWORD)


def test_an_unknown_address_costs_as_much_work_as_a_wrong_password(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ken()
    verified: list[str] = []
    hasher = passwords._hasher()

    class Counting:
        def verify(self, known: str, password: str) -> bool:
            verified.append(known.split("$")[3])  # the cost: memory, rounds, lanes
            return hasher.verify(known, password)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    sentences = []
    for email in ("ken@example.com", "nobody@example.com"):
        with pytest.raises(sessions.WrongSignIn) as refusal:
            sessions.sign_in(email, "not the password")
        sentences.append(refusal.value.sentence)

    assert len(verified) == 2
    assert verified[0] == verified[1]
    assert sentences[0] == sentences[1]


def test_a_hash_made_with_cheaper_settings_is_renewed_at_sign_in(
    app: Flask, settings: config.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = ken()
    dearer = settings.model_copy(update={"password_memory_kib": 16})
    monkeypatch.setattr(passwords, "settings", lambda: dearer)

    sessions.sign_in("ken@example.com", PASSWORD)

    assert "m=16," in owner.password_hash
    assert passwords.matches(owner, PASSWORD)


@pytest.mark.parametrize(
    "password", ["short owl", "Password1234", "qwertyuiop123", "aaaabbbbaaaabbbb", "ken@example.com", "x" * 201]
)
def test_a_password_that_would_be_guessed_is_refused(app: Flask, password: str) -> None:
    with pytest.raises(passwords.WeakPassword):
        owners.create_owner("ken@example.com", "Ken", password)

    assert User.by_email("ken@example.com") is None


def test_the_same_address_cannot_own_twice(app: Flask) -> None:
    ken()

    with pytest.raises(owners.AddressTaken) as refusal:
        owners.create_owner("KEN@example.com", "Another Ken", "another quiet owl")

    assert "already has an account" in refusal.value.sentence
    assert sessions.sign_in("ken@example.com", PASSWORD)


def test_what_is_no_address_owns_nothing(app: Flask) -> None:
    with pytest.raises(owners.NotAnAddress):
        owners.create_owner("ken at example", "Ken", PASSWORD)


def test_signing_out_everywhere_ends_only_ones_own_sessions(app: Flask) -> None:
    ken()
    owners.create_owner("ada@example.com", "Ada", "another quiet owl")
    kens = [sessions.sign_in("ken@example.com", PASSWORD).secret for _ in range(2)]
    adas = sessions.sign_in("ada@example.com", "another quiet owl").secret

    first = sessions.current(kens[0])
    assert first is not None
    ended = sessions.sign_out_everywhere(first.user)

    assert ended == 2
    assert [sessions.current(secret) for secret in kens] == [None, None]
    assert sessions.current(adas) is not None


def test_nobody_ends_the_session_of_somebody_else(app: Flask) -> None:
    owner = ken()
    owners.create_owner("ada@example.com", "Ada", "another quiet owl")
    adas = sessions.sign_in("ada@example.com", "another quiet owl").secret
    target = sessions.current(adas)
    assert target is not None

    sessions.end(target.id, user=owner)

    assert sessions.current(adas) is not None


def test_what_staff_did_is_remembered(app: Flask) -> None:
    ken()
    sessions.sign_in("ken@example.com", PASSWORD)

    actions = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))

    assert actions == ["created an owner", "signed in"]

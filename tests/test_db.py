"""The two things about the database that the driver does not do for us: connections that died, and arrays as text."""

import time
from base64 import b32encode

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from newsletter import db as database
from newsletter.db import array, array_of_texts, db
from newsletter.links import _base32
from tests.doubles import JobQueue


def _dies() -> None:
    """The one connection that waits in the pool, as after a restart of the server."""
    db.session.remove()
    db.engine.dispose()  # or another one would be given out first
    mine = db.session.scalar(text("SELECT pg_backend_pid()"))
    db.session.remove()
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 10000)", [mine]).fetchone() == (True,)  # gone, not going
    time.sleep(0.2)


def test_an_idle_connection_that_has_died_is_replaced_unseen(
    jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE", 60.0)
    _dies()
    with pytest.raises(OperationalError):  # it came back too soon to be asked
        db.session.scalar(text("SELECT 1"))
    db.session.remove()

    monkeypatch.setattr(database, "IDLE", 0.1)
    _dies()
    assert db.session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    "words", [[], [""], ["plain", 'a "quote"', "back\\slash", "comma, {brace}", "NULL", "two\nlines", "Ünï"]]
)
def test_any_words_come_back_from_an_array_as_they_were(jobs_queue: JobQueue, words: list[str]) -> None:
    assert db.session.scalar(text("SELECT CAST(:a AS text[])"), {"a": array_of_texts(words)}) == words


def test_numbers_and_nothing_are_arrays_too(jobs_queue: JobQueue) -> None:
    query = text("SELECT CAST(:a AS bigint[])")
    assert db.session.scalar(query, {"a": array([1, "NULL", 2])}) == [1, None, 2]
    assert db.session.scalar(query, {"a": array([])}) == []


def test_tokens_are_written_as_the_standard_library_would() -> None:
    for length in range(64):
        raw = bytes((37 * at + length) % 256 for at in range(length))
        assert _base32(raw) == b32encode(raw).decode().rstrip("=").lower()

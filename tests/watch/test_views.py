"""What programs ask of the web process."""

import time

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text

from newsletter.config import Settings
from newsletter.db import db
from newsletter.sending.models import Heartbeat, Lane
from newsletter.watch import readiness, views
from tests.doubles import JobQueue, Outbox
from tests.sending import doubtful

HERE = {"base_url": "http://127.0.0.1:8000"}


def metrics(client: FlaskClient) -> dict[str, float]:
    answer = client.get("/metrics", **HERE)
    assert answer.status_code == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name.removeprefix('newsletter_')}{{{labels}}}" if labels else sample.name[11:]] = (
                sample.value
            )
    return found


def test_a_process_that_lives_says_so(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_ready_is_said_in_a_word(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_redis_it_is_ready_and_says_what_is_missing(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.model_copy(update={"redis_url": "redis://:a-secret-word@127.0.0.1:1/0"})
    monkeypatch.setattr(readiness, "settings", lambda: away)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert "Redis does not answer" in answer.text
    assert "secret" not in answer.text
    assert metrics(client)["redis_up"] == 0


def test_tables_of_another_version_are_not_ready(client: FlaskClient) -> None:
    present = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    db.session.commit()
    try:
        answer = client.get("/readyz")
    finally:
        db.session.execute(text("UPDATE alembic_version SET version_num = :present"), {"present": present})
        db.session.commit()

    assert (answer.status_code, answer.text) == (503, "not ready\nThe tables are not up to date.\n")


def test_a_database_that_is_away_is_one_sentence_and_metrics_go_on(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        db.session.execute(text("SELECT pg_sleep(0) FROM nothing_like_that"))

    monkeypatch.setattr(readiness, "limit_statements", away)

    answer = client.get("/readyz")
    shown = client.get("/metrics", **HERE)

    assert (answer.status_code, answer.text) == (503, "not ready\nThe database does not answer.\n")
    assert "newsletter_database_up 0.0" in shown.text
    assert "newsletter_redis_up 1.0" in shown.text


def test_metrics_tell_what_is_recorded(client: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox, "ada@example.com")
    db.session.add(Lane(name="mail.example.net", pace=0.5, words="421 slow down"))
    db.session.execute(text("INSERT INTO lane_use VALUES ('mail.example.net', date_trunc('hour', now()), 7)"))
    db.session.add_all(
        [Heartbeat(process="worker:desk:1"), Heartbeat(process="pool:desk:1"), Heartbeat(process="beat")]
    )
    db.session.execute(text("UPDATE heartbeat SET seen_at = now() - interval '5 minutes' WHERE process LIKE 'pool%'"))
    db.session.commit()

    told = metrics(client)

    assert told["deliveries_total{outcome=accepted}"] == 1
    assert told["unconfirmed"] == 1
    assert told["waiting"] == told["open_readers"] == told["oldest_due_seconds{work=notice}"] == 0
    assert told["lane_open{lane=mail.example.net}"] == 1
    assert told["lane_pace{lane=mail.example.net}"] == 0.5
    assert told["lane_taken_hour{lane=mail.example.net}"] == 7
    assert told["workers"] == told["pools_stuck"] == told["database_up"] == 1
    assert told["seen_seconds{host=,process=beat}"] < 5
    assert "ada@" not in client.get("/metrics", **HERE).text


def test_work_that_is_late_ages(client: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox)
    db.session.execute(text("UPDATE mailing SET state = 'sending', finished_at = NULL"))
    db.session.execute(text("UPDATE chunk SET state = 'free', send_after = now() - interval '100 seconds'"))
    db.session.commit()

    assert 100 <= metrics(client)["oldest_due_seconds{work=chunk}"] < 110


@pytest.mark.parametrize(
    ("base_url", "headers", "remote"),
    [
        ("http://127.0.0.1:8000", {}, "203.0.113.7"),
        ("http://127.0.0.1:8000", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        ("http://127.0.0.1:8000", {"Forwarded": "for=127.0.0.1"}, "127.0.0.1"),
        ("http://letters.example.org", {}, "127.0.0.1"),
        ("http://127.0.0.1.example.org", {}, "127.0.0.1"),
    ],
)
def test_without_a_password_only_this_machine_is_told(
    client: FlaskClient, base_url: str, headers: dict[str, str], remote: str
) -> None:
    answer = client.get("/metrics", base_url=base_url, headers=headers, environ_base={"REMOTE_ADDR": remote})

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:8000", "[::1]:8000", "127.0.0.1"])
def test_this_machine_has_several_names(client: FlaskClient, host: str) -> None:
    remote = "::1" if "::1" in host else "127.0.0.1"

    assert client.get("/metrics", base_url=f"http://{host}", environ_base={"REMOTE_ADDR": remote}).status_code == 200


def test_with_a_password_it_opens_to_who_knows_it_and_to_nobody_else(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = settings.model_copy(update={"metrics_password": SecretStr("wörd")})
    monkeypatch.setattr(views, "settings", lambda: closed)

    def ask(given: str) -> int:
        return client.get("/metrics", headers={"Authorization": given} if given else {}).status_code

    assert [ask(given) for given in ("", "Bearer no", "Basic wörd", "wörd")] == [401] * 4
    assert ask("Bearer wörd") == 200


@pytest.mark.slow
def test_a_million_deliveries_are_told_in_50_ms(client: FlaskClient, jobs_queue: JobQueue, outbox: Outbox) -> None:
    doubtful.mailing(jobs_queue, outbox)
    db.session.execute(
        text("""
            INSERT INTO chunk (mailing_id, number, reader_ids, size, state, attempts,
                               accepted, refused, skipped, expired, unconfirmed)
            SELECT 1, number, (SELECT array_agg(id) FROM generate_series(number * 1000, number * 1000 + 999) AS id),
                   1000, 'done', 0, 1000, 0, 0, 0, 0
            FROM generate_series(1, 1000) AS number
        """)
    )
    db.session.execute(
        text("""
            INSERT INTO delivery (mailing_id, subscriber_id, outcome, reply)
            SELECT 1, id, 'accepted', '250 2.0.0 Ok: queued as 4jZNG14Rsmz1WmxL'
            FROM generate_series(1000, 1000999) AS id
        """)
    )
    db.session.commit()
    client.get("/metrics", **HERE)

    took = []
    for _ in range(7):
        began = time.perf_counter()
        answer = client.get("/metrics", **HERE)
        took.append(time.perf_counter() - began)

    print(f"{sorted(took)[3] * 1000:.1f} ms")
    assert 'newsletter_deliveries_total{outcome="accepted"} 1.000002e+06' in answer.text
    assert sorted(took)[3] < 0.05

"""The SMTP transport against a real server that misbehaves."""

from contextlib import closing

import pytest

from tests.smtp_sink import Orders, SmtpSink
from worker import transports
from worker.courier import Courier
from worker.transports import Accepted, Deferred, NoAnswer, Refused, Unavailable

MESSAGE = b"Subject: hello\r\n\r\nwords\r\n"


def nothing() -> None:
    pass


def hand_over(sink: SmtpSink, *recipients: str, message: bytes = MESSAGE) -> list[object]:
    with closing(transports.open_session(sink.url, timeout=3)) as session:
        return [session.hand_over("ken@example.org", to, message, before_dot=nothing) for to in recipients]


def test_what_the_server_accepts_arrives_as_it_was() -> None:
    with SmtpSink() as sink:
        assert hand_over(sink, "ada@example.com") == [Accepted("250 2.0.0 queued")]
        assert sink.accepted == [("ada@example.com", MESSAGE)]


def test_a_line_that_begins_with_a_dot_does_not_end_the_message() -> None:
    message = b".first\r\n.\r\nafter the lone dot\r\n..two\r\n"
    with SmtpSink() as sink:
        hand_over(sink, "ada@example.com", message=message)
        assert sink.accepted == [("ada@example.com", message)]


def test_a_refused_recipient_does_not_disturb_the_next() -> None:
    with SmtpSink(orders={"x@example.com": Orders(at_rcpt="550 5.1.1 unknown")}) as sink:
        said = hand_over(sink, "x@example.com", "ada@example.com")
        assert said == [Refused("550 5.1.1 unknown"), Accepted("250 2.0.0 queued")]


def test_temporary_words_put_the_reader_off_at_either_stage() -> None:
    orders = {"a@example.com": Orders(at_rcpt="450 4.2.0 busy"), "b@example.com": Orders(at_dot="451 4.7.1 later")}
    with SmtpSink(orders=orders) as sink:
        said = hand_over(sink, "a@example.com", "b@example.com")
        assert said == [Deferred("450 4.2.0 busy"), Deferred("451 4.7.1 later")]


def test_a_connection_cut_before_the_dot_has_surely_not_delivered() -> None:
    with SmtpSink(orders={"ada@example.com": Orders(cut="before_dot")}) as sink:
        with pytest.raises(Unavailable):
            hand_over(sink, "ada@example.com", message=MESSAGE + b"words to fill every buffer on the way\r\n" * 200_000)
        assert sink.accepted == []


def test_a_connection_cut_after_the_dot_leaves_a_doubt() -> None:
    with SmtpSink(orders={"ada@example.com": Orders(cut="after_dot")}) as sink, pytest.raises(NoAnswer):
        hand_over(sink, "ada@example.com")


def test_without_the_dot_there_is_no_message() -> None:
    def too_late() -> None:
        raise TimeoutError

    with SmtpSink() as sink:
        session = transports.open_session(sink.url, timeout=3)
        with pytest.raises(TimeoutError):
            session.hand_over("ken@example.org", "ada@example.com", MESSAGE, before_dot=too_late)
        assert sink.accepted == []


def test_nobody_there_is_said_plainly() -> None:
    with SmtpSink() as sink:
        url = sink.url
    with pytest.raises(Unavailable, match="nothing listens there"):
        transports.open_session(url, timeout=1)


def test_a_greeting_of_421_means_not_now() -> None:
    with SmtpSink(greeting="421 4.3.2 come back later") as sink, pytest.raises(Unavailable, match="come back later"):
        transports.open_session(sink.url, timeout=1)


def test_an_unverified_certificate_is_refused() -> None:
    with SmtpSink() as sink, pytest.raises(Unavailable):
        transports.open_session(f"{sink.url}?tls=required", timeout=1)


def test_the_courier_opens_a_new_connection_when_the_server_has_closed_its_own(
    app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpSink(messages_per_connection=2) as sink, Courier() as courier:
        monkeypatch.setattr("worker.courier.transports.open_session", lambda url, timeout: smtp_of(sink))
        for number in range(5):
            courier.hand_over("ken@example.org", f"r{number}@example.com", MESSAGE, before_dot=nothing)
        assert len(sink.accepted) == 5
        assert sink.connections == 3


def smtp_of(sink: SmtpSink) -> transports.Session:
    return transports.smtp.connect(sink.url, 3)

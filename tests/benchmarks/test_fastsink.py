"""The server that the benchmark trusts: it counts right, whatever way the bytes come."""

import random
import re
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.up import places
from tests.benchmarks.sinks import FastSink, compile_fastsink

pytestmark = pytest.mark.slow  # needs a C compiler

ENVELOPE = b"MAIL FROM:<ken@example.org>\r\nRCPT TO:<ada@example.com>\r\nDATA\r\n"


@pytest.fixture(scope="module")
def fastsink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_fastsink(tmp_path_factory.mktemp("fastsink"))


@pytest.fixture
def sink(fastsink: Path) -> Iterator[FastSink]:
    with FastSink(fastsink) as running:
        yield running


def connected(sink: FastSink) -> socket.socket:
    """A connection that has been greeted and has said EHLO."""
    connection = socket.create_connection((places.LOOPBACK, sink.port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    heard(connection, 1)
    connection.sendall(b"EHLO here\r\n")
    heard(connection, 1)
    return connection


def heard(connection: socket.socket, answers: int) -> list[str]:
    """The codes of so many answers."""
    got = b""
    while len(codes := re.findall(rb"^(\d{3}) .*\r\n", got, re.MULTILINE)) < answers:
        more = connection.recv(4096)
        assert more, f"it hung up after {got!r}"
        got += more
    return [code.decode() for code in codes]


def test_it_speaks_smtp_well_enough_for_the_standard_library(sink: FastSink) -> None:
    with smtplib.SMTP(places.LOOPBACK, sink.port) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("pipelining")
        for _ in range(3):
            assert smtp.sendmail("ken@example.org", ["ada@example.com", "grace@example.com"], "Hello.\n") == {}
        assert smtp.noop()[0] == 250

    assert sink.messages == 3
    assert sink.bytes == 3 * len("Hello.\r\n")


def test_commands_out_of_order_are_refused(sink: FastSink) -> None:
    with connected(sink) as connection:
        connection.sendall(
            b"DATA\r\nRCPT TO:<a@example.com>\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRSET\r\nFOO\r\n"
        )
        assert heard(connection, 7) == ["503", "503", "250", "503", "503", "250", "500"]
        connection.sendall(b"MAIL FROM:<>\r\nQUIT\r\n")
        assert heard(connection, 2) == ["250", "221"]
        assert connection.recv(1) == b""
    assert sink.messages == 0


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7])
def test_the_end_of_a_message_is_found_wherever_the_pieces_are_cut(sink: FastSink, piece: int) -> None:
    text = b"a line\r\n..a dot at its start\r\n.b is no end\r\n\r\nnor.\r\nthis\n.\n\r\n"
    whole = ENVELOPE + text + b".\r\n" + ENVELOPE + b".\r\n" + b"NOOP\r\n"
    with connected(sink) as connection:
        for at in range(0, len(whole), piece):
            connection.sendall(whole[at : at + piece])
            time.sleep(0.001)
        assert heard(connection, 9) == ["250", "250", "354", "250"] * 2 + ["250"]

    assert sink.messages == 2
    assert sink.bytes == len(text)


def test_many_connections_at_once_are_counted_together(sink: FastSink) -> None:
    chance = random.Random(3)
    messages = [ENVELOPE + b"x" * chance.randrange(200_000) + b"\r\n.\r\n" for _ in range(40)]
    connections = [connected(sink) for _ in range(8)]
    for number, message in enumerate(messages):
        connections[number % 8].sendall(message)
    for connection in connections:
        assert len(heard(connection, 4 * len(messages) // 8)) == 20
        connection.close()

    assert sink.messages == len(messages)
    assert sink.bytes == sum(len(message) - len(ENVELOPE) - 3 for message in messages)
    assert sink.stop() == "40 messages"


def test_an_answer_takes_its_time_and_a_pipeline_does_not_wait_for_each(fastsink: Path) -> None:
    with FastSink(fastsink, delay_ms=50) as sink, connected(sink) as connection:
        begun = time.monotonic()
        connection.sendall(b"NOOP\r\n" * 20)
        heard(connection, 20)
        pipelined = time.monotonic() - begun
        begun = time.monotonic()
        for _ in range(3):
            connection.sendall(b"NOOP\r\n")
            heard(connection, 1)
        one_by_one = time.monotonic() - begun

    assert 0.05 <= pipelined < 20 * 0.05 / 2  # not one after the other, however busy the machine is
    assert one_by_one >= 0.15


def test_a_client_that_goes_away_before_its_answer_harms_nobody(fastsink: Path) -> None:
    with FastSink(fastsink, delay_ms=50) as sink:
        for _ in range(5):
            with connected(sink) as connection:
                connection.sendall(ENVELOPE + b"hello\r\n.\r\n")
        with connected(sink) as connection:
            connection.sendall(ENVELOPE + b"hello\r\n.\r\n")
            assert heard(connection, 4) == ["250", "250", "354", "250"]
        assert sink.messages == 6


def test_the_log_says_who_was_written_to_and_when(fastsink: Path, tmp_path: Path) -> None:
    log, begun = tmp_path / "taken.log", time.monotonic()
    with FastSink(fastsink, log=log) as sink, connected(sink) as connection:
        connection.sendall(ENVELOPE + b"hello\r\n.\r\n")
        heard(connection, 4)

    at, address = log.read_text().split()
    assert address == "ada@example.com"
    assert begun <= float(at) <= time.monotonic()

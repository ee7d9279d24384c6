"""Whatever comes, reading it ends soon, in little memory, and with an answer."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emails import read_incoming
from tests.emails.incoming.messages import answer, complaint, delivery_report

MEGABYTE = 1_000_000

NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (depth, depth) for depth in range(20_000)
)
HOSTILE = {
    "nothing but zeros": b"\0" * 30 * MEGABYTE,
    "one line": b"a" * 30 * MEGABYTE,
    "one header field": b"Subject: " + b"=?utf-8?q?" * 3 * MEGABYTE,
    "a field of many lines": b"References:" + b"\n <a@b>" * 4 * MEGABYTE + b"\n\nhi",
    "many header fields": b"X-A: b\n" * 4 * MEGABYTE + b"\nhi",
    "nested deeply": NESTED,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * MEGABYTE,
    "boundary of dashes": b'Content-Type: multipart/mixed; boundary="-"\n\n' + b"-" * 20 * MEGABYTE,
    "many recipients": delivery_report("Final-Recipient: rfc822; a@b.example\n\n" * MEGABYTE),
    "open tags": b"Content-Type: text/html\n\n" + b"<" * 20 * MEGABYTE,
    "open comments": b"Content-Type: text/html\n\n" + b"<!--" * 5 * MEGABYTE,
    "open attributes": b"Content-Type: text/html\n\n" + b'<a b="' * 3 * MEGABYTE,
    "open quotes": b"Content-Type: text/html\n\n" + b"<blockquote>" * 2 * MEGABYTE,
    "lines that begin a quotation": answer("On 3 May 2027 a@b\n" * MEGABYTE),
    "lines that begin a block": answer("From: a\n" * MEGABYTE),
    "addresses": b"From: mailer-daemon@x\nSubject: failure notice\n\nrejected " + b"a.b@" * 5 * MEGABYTE,
    "blanks": b"From: mailer-daemon@x\nSubject: failure notice\n\nrejected " + b" " * 20 * MEGABYTE,
    "underscores": answer("_" * 10 * MEGABYTE),
    "parameters": b"Content-Type: text/plain" + b';a="' * 5 * MEGABYTE + b"\n\nx",
    "base64": b"Content-Transfer-Encoding: base64\n\n" + b"====" * 5 * MEGABYTE,
    "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=" * 20 * MEGABYTE,
    "codes": b"From: mailer-daemon@x\nSubject: failure notice\n\n" + b"5.1." * 5 * MEGABYTE,
    "header in the text": b"From: mailer-daemon@x\nSubject: failure notice\n\nrejected\n"
    + b"Subject: a\n\n" * 2 * MEGABYTE,
    "a codec that is none for text": b"Content-Type: text/plain; charset=zlib\n\nx",
    "a charset with a zero": b'Content-Type: text/plain; charset="a\0b"\n\nx',
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_nothing_takes_long_or_much(raw: bytes) -> None:
    tracemalloc.start()
    began = time.process_time()
    read_incoming(raw)
    took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took < 5  # with the memory watched, which makes it several times slower
    assert most < 60 * MEGABYTE


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read(raw: bytes) -> None:
    read_incoming(raw)


@pytest.mark.parametrize("whole", [delivery_report(), complaint(), answer("Hi\n> there")])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_broken_reports_are_read(whole: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 60)))

    found = read_incoming(whole[:start] + data.draw(st.binary(max_size=30)) + whole[end:])

    for words in (found.words, found.recipient, found.status, found.subject, found.return_path, found.message_id):
        assert words == "" or words.isprintable()

"""A folder as a way out: what counts, what does not, and what others read."""

import mailbox
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.worker.transports.load import carry, letter, load_of, readers
from worker import transports
from worker.transports import Deferred, Unavailable

WRITER = """
import sys
from contextlib import closing
from tests.worker.transports.load import load_of
from worker import transports

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
content = b"Subject: x\\r\\n\\r\\n" + b"y" * 200_000
load = load_of(*(f"{name}{number}@example.com" for number in range(count)), content=content)
said = load.answered
def tell(message, answer):
    said(message, answer)
    print(message.recipient, flush=True)
load.answered = tell
with closing(transports.open_session(url, 3)) as session:
    session.carry(load)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, f"files:{folder}", name, str(count)], stdout=subprocess.PIPE, text=True
    )


def recipients(folder: Path) -> list[str]:
    with closing(mailbox.Maildir(folder, create=False)) as box:
        return sorted(str(message["Delivered-To"]) for message in box)


def test_other_programs_read_the_folder_as_a_maildir(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    content = letter()
    carry(f"files:{tmp_path}/a%20folder", "ada@example.com", content=content)

    assert sorted(path.name for path in folder.iterdir()) == ["cur", "new", "tmp"]
    [file] = (folder / "new").iterdir()
    envelope = (
        b"Return-Path: <ken@letters.example.org>\r\nDelivered-To: ada@example.com\r\nX-Original-To: ada@example.com\r\n"
    )
    assert file.read_bytes() == envelope + content
    assert ":" not in file.name
    [message] = mailbox.Maildir(folder, create=False)
    assert message["Message-ID"] == "<m7.1@letters.example.org>"


def test_only_we_may_read_it(tmp_path: Path) -> None:
    carry(f"files:{tmp_path}/mail", "ada@example.com")

    [file] = (tmp_path / "mail" / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "mail" / "new").stat().st_mode & 0o077 == 0


def test_two_processes_at_once_lose_nothing_and_write_over_nothing(tmp_path: Path) -> None:
    processes = [writer(tmp_path, name, 60) for name in ("a", "b")]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0

    assert recipients(tmp_path) == sorted(f"{name}{number}@example.com" for name in "ab" for number in range(60))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_process_killed_in_the_middle_leaves_whole_messages_only(tmp_path: Path) -> None:
    process = writer(tmp_path, "a", 100_000)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    told += process.communicate(timeout=30)[0].split()

    there = recipients(tmp_path)
    assert set(told) <= set(there)
    assert len(there) == len(set(there)) <= len(told) + 1
    assert {file.stat().st_size for file in (tmp_path / "new").iterdir()} <= _sizes(there)


def _sizes(there: list[str]) -> set[int]:
    """As long as the recipient's address makes them."""
    rest = len("Return-Path: <ken@letters.example.org>\r\nDelivered-To: \r\nX-Original-To: \r\n")
    return {rest + 2 * len(recipient) + len("Subject: x\r\n\r\n") + 200_000 for recipient in there}


def test_what_a_dead_writer_left_behind_is_cleared_away_when_it_is_old(tmp_path: Path) -> None:
    carry(f"files:{tmp_path}")
    for name, hours in (("old", 37), ("young", 35)):
        file = tmp_path / "tmp" / name
        file.write_text("half a mess")
        then = time.time() - hours * 3600
        os.utime(file, (then, then))

    carry(f"files:{tmp_path}", "ada@example.com")

    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["young"]


def test_a_full_disk_takes_nothing_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = transports.open_session(f"files:{tmp_path}", 3)

    def full(handle: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.transports.files.os.write", full)
    load = load_of(*readers(2))
    with pytest.raises(Unavailable, match="No space left"):
        session.carry(load)
    assert load.back == ["r0@example.com"]
    assert load.is_settled
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_that_cannot_be_written_is_tried_later_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = transports.open_session(f"files:{tmp_path}", 3)

    def broken(handle: int, content: bytes) -> int:
        raise OSError(27, "File too large")

    monkeypatch.setattr("worker.transports.files.os.write", broken)
    load = load_of(*readers(2))
    with pytest.raises(Unavailable, match="File too large"):
        session.carry(load)
    assert isinstance(load.said["r0@example.com"], Deferred)
    assert load.is_settled
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("url", ["files:mail", "files:", "files:/", "files:/proc/version/mail"])
def test_a_folder_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(Unavailable):
        transports.open_session(url, 3)

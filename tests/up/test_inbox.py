import json
import shutil
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.up import letterbox, places, processes

WELCOME = (
    b"From: Ken <ken@example.org>\r\nTo: ada@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b".a dot at the start\r\n..two\r\n.\r\n trailing blank \r\nGr\xc3\xbc\xc3\x9fe\tund\x0cmehr\r\n\r\n"
)


class Inbox:
    """The mail server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "inbox"
        self.port = places.free_port()
        self.takes: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Inbox":
        where = ["--port", str(self.port), "--folder", str(self.folder)]
        self.process = subprocess.Popen([sys.executable, "-m", "newsletter.up.inbox", *where, *self.takes])
        assert processes.wait_until(lambda: places.is_open(self.port), 15)
        return self

    def take_with(self, command: str) -> None:
        self.takes = ["--deliver-command", command]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(10)

    def send(self, message: bytes, *recipients: str, sender: str = "bounce@example.org", **options: list[str]) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as mail:
            mail.sendmail(sender, recipients or ["ada@example.org"], message, options.get("mail", []))

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox(tmp_path)
    yield inbox
    if inbox.process is not None and inbox.process.poll() is None:
        inbox.stop()


def test_a_message_is_kept_byte_for_byte(inbox: Inbox) -> None:
    inbox.start().send(WELCOME, mail=["BODY=8BITMIME"])

    (kept,) = inbox.files
    assert kept.read_bytes() == WELCOME


def test_the_envelope_is_kept_beside_it(inbox: Inbox) -> None:
    inbox.start().send(WELCOME, "ada@example.org", "grace@example.org", sender="")

    (kept,) = letterbox.letters(inbox.folder)
    assert kept.envelope() == {"sender": "", "recipients": ["ada@example.org", "grace@example.org"]}
    assert kept.address == "ada@example.org"


def test_addresses_of_every_script_have_a_place(inbox: Inbox) -> None:
    inbox.start().send(WELCOME, "жена/../x@пример.example", mail=["SMTPUTF8", "BODY=8BITMIME"])

    (kept,) = letterbox.letters(inbox.folder, "ЖЕНА")
    assert kept.envelope()["recipients"] == ["жена/../x@пример.example"]
    assert kept.path.parent == inbox.folder


def test_it_offers_what_our_sender_asks_for(inbox: Inbox) -> None:
    inbox.start()

    with smtplib.SMTP("127.0.0.1", inbox.port) as mail:
        mail.ehlo()
        assert {"8bitmime", "smtputf8", "size"} <= set(mail.esmtp_features)
        assert mail.mail("ken@example.org", ["SIZE=99999999"])[0] == 552


def test_it_answers_yes_only_when_the_message_is_on_disk(inbox: Inbox) -> None:
    inbox.start()
    shutil.rmtree(inbox.folder)

    with pytest.raises(smtplib.SMTPDataError) as refused:
        inbox.send(WELCOME)

    assert refused.value.smtp_code == 452


def test_what_was_accepted_survives_a_kill_and_halves_are_cleared(inbox: Inbox) -> None:
    inbox.start().send(WELCOME)
    inbox.stop(signal.SIGKILL)
    half = inbox.folder / ".20261124T090000.000000Z-000002-grace@example.org.eml.part"
    half.write_bytes(b"From: Ken")

    inbox.start().send(WELCOME, "linus@example.org")

    assert [letter.address for letter in letterbox.letters(inbox.folder)] == ["linus@example.org", "ada@example.org"]
    assert not half.exists()


def test_it_ends_at_once_when_asked(inbox: Inbox) -> None:
    inbox.start().send(WELCOME)

    assert inbox.stop() == 0


def _take_script(folder: Path, *, fails: int = 0) -> str:
    """A command that notes what it is given, after failing so many times."""
    script = folder / "take.py"
    script.write_text(
        "import json, pathlib, sys\n"
        f"notes = pathlib.Path({str(folder / 'taken')!r})\n"
        f"tries = pathlib.Path({str(folder / 'tries')!r})\n"
        "tries.write_text((tries.read_text() if tries.exists() else '') + '.')\n"
        f"if len(tries.read_text()) <= {fails}: sys.exit(1)\n"
        "with notes.open('a') as file:\n"
        "    file.write(json.dumps([sys.argv[1:], sys.stdin.buffer.read().decode()]) + '\\n')\n"
    )
    return f"{sys.executable} -I {script}"


def _taken(folder: Path) -> list[list[object]]:
    notes = folder / "taken"
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def test_mail_to_a_leave_address_is_kept_and_handed_over(inbox: Inbox, tmp_path: Path) -> None:
    inbox.take_with(_take_script(tmp_path))
    inbox.start()

    inbox.send(WELCOME, "ada@example.org")
    inbox.send(WELCOME, "leave+tOkEn@example.org")

    assert processes.wait_until(lambda: bool(_taken(tmp_path)), 10)
    assert _taken(tmp_path) == [[["--recipient", "leave+tOkEn@example.org"], WELCOME.decode()]]
    assert len(inbox.files) == 2


def test_a_wish_to_leave_is_not_lost_when_the_command_fails_and_the_inbox_restarts(
    inbox: Inbox, tmp_path: Path
) -> None:
    inbox.take_with(_take_script(tmp_path, fails=1))
    inbox.start().send(WELCOME, "leave+token@example.org")
    assert processes.wait_until(lambda: (tmp_path / "tries").exists(), 10)
    inbox.stop(signal.SIGKILL)
    assert _taken(tmp_path) == []

    inbox.start()

    assert processes.wait_until(lambda: len(_taken(tmp_path)) == 1, 10)
    assert processes.wait_until(lambda: not list((inbox.folder / ".waiting").iterdir()), 5)

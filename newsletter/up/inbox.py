"""The local inbox: a mail server that keeps what it gets and passes nothing on to anybody.

    python -m newsletter.up.inbox --port 8025 --folder var/inbox

Mail for leave+…@ and b+…@ addresses is also handed to a command of ours, as a real server would by its aliases.
"""

import argparse
import asyncio
import contextlib
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.up import letterbox, places

_LARGEST = 25 * 1024 * 1024
_TRIES = 10


class Keeper:
    """Answers 250 only after the message is on disk."""

    def __init__(self, folder: Path, hand_over: "HandOver | None") -> None:
        self.folder = folder
        self.hand_over = hand_over

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        content, sender, recipients = envelope.original_content, envelope.mail_from, envelope.rcpt_tos
        assert content is not None  # the mail server calls us after the final dot
        if sender == "<>":
            sender = ""
        try:
            path = await asyncio.to_thread(self._keep, content, sender or "", recipients)
        except OSError as error:
            return f"452 4.3.1 The inbox cannot write this message: {error.strerror}"
        return f"250 2.0.0 Kept as {path.name.partition('Z-')[2].partition('-')[0]}"

    def _keep(self, content: bytes, sender: str, recipients: list[str]) -> Path:
        path = letterbox.keep(self.folder, content, sender, recipients)
        for recipient in recipients:
            if self.hand_over and self.hand_over.wants(recipient):
                self.hand_over.add(path, recipient)
        return path


class HandOver:
    """Gives mail for some addresses to a command, one by one. What waits is a file: a restart forgets nothing."""

    def __init__(self, folder: Path, command: str, prefixes: list[str]) -> None:
        self.inbox = folder
        self.waiting = folder / ".waiting"
        self.waiting.mkdir(exist_ok=True)
        self.command = shlex.split(command)
        self.prefixes = tuple(prefix.lower() for prefix in prefixes)
        self._bell = threading.Event()
        self._closed = False
        self._tries: dict[Path, int] = {}

    def wants(self, recipient: str) -> bool:
        return recipient.lower().startswith(self.prefixes)

    def add(self, message: Path, recipient: str) -> None:
        draft = self.waiting / f".{message.name}"
        draft.write_text(recipient)
        draft.replace(self.waiting / message.name)
        self._bell.set()

    def run(self, pause: float = 5) -> None:
        """Work until closed; what fails is tried again after a pause, and at the next start."""
        while not self._closed:
            self._bell.clear()
            due = [ticket for ticket in sorted(self.waiting.glob("[!.]*")) if self._tries.get(ticket, 0) < _TRIES]
            failed = [ticket for ticket in due if not self._give(ticket)]
            self._bell.wait(pause if failed else None)

    def close(self) -> None:
        self._closed = True
        self._bell.set()

    def _give(self, ticket: Path) -> bool:
        command = [*self.command, "--recipient", ticket.read_text()]
        try:
            with (self.inbox / ticket.name).open("rb") as message:
                done = subprocess.run(command, stdin=message, timeout=60, check=False)
        except FileNotFoundError as error:
            return self._note_failure(ticket, f"{error.filename} is missing")
        except subprocess.TimeoutExpired:
            return self._note_failure(ticket, "no end after 60 seconds")
        if done.returncode:
            return self._note_failure(ticket, f"exit status {done.returncode}")
        ticket.unlink()
        return True

    def _note_failure(self, ticket: Path, reason: str) -> bool:
        self._tries[ticket] = self._tries.get(ticket, 0) + 1
        print(f"{ticket.name} was not taken ({reason}), attempt {self._tries[ticket]} of {_TRIES}", flush=True)
        return False


async def serve(port: int, folder: Path, hand_over: HandOver | None = None) -> None:
    """Take mail until SIGTERM or SIGINT. A message in work is finished first."""
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder, hand_over)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(
        lambda: SMTP(
            keeper,
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Newsletter inbox",
            loop=loop,
        ),
        places.LOOPBACK,
        port,
    )
    print(f"taking mail on {places.LOOPBACK}:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            while asyncio.all_tasks(loop) - {asyncio.current_task()}:
                await asyncio.sleep(0.05)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m newsletter.up.inbox", description="A mail server that keeps all it gets."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument(
        "--deliver-command", default="", help="gets mail for some addresses; --recipient ADDRESS is added"
    )
    parser.add_argument(
        "--deliver-prefix", action="append", help="which addresses: how they begin (default: leave+ and b+)"
    )
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    for half in given.folder.glob(".*.part"):
        half.unlink()  # of a message that was never accepted
    hand_over = None
    if given.deliver_command:
        hand_over = HandOver(given.folder, given.deliver_command, given.deliver_prefix or ["leave+", "b+"])
        threading.Thread(target=hand_over.run, daemon=True).start()
    try:
        asyncio.run(serve(given.port, given.folder, hand_over))
    except OSError as error:
        sys.exit(f"The inbox cannot take mail on port {given.port}: {error.strerror or error}")
    finally:
        if hand_over:
            hand_over.close()


if __name__ == "__main__":
    main()

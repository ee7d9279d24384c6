"""Programs that send the same messages by other means, each in a process of its own; tells JSON at its end.

The time runs from when all connections are open.

`python -m tests.benchmarks.rivals plain|send_message|sendmail|ours …`
"""

import json
import smtplib
import sys
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from worker import transports
from worker.transports import Accepted, Answer, Outgoing

SENDER = "ken@letters.example.org"
PATIENCE = 60.0  # seconds


def plain(url: str, letter: str, messages: str) -> tuple[int, float]:
    """What people write first: a message object for each reader, and smtplib. The letter is a JSON file."""
    told = json.loads(Path(letter).read_text())
    with smtplib.SMTP(*_place(url)) as smtp:
        begun = time.monotonic()
        for number in range(int(messages)):
            smtp.send_message(_plain_message(told, number))
        return int(messages), time.monotonic() - begun


def with_send_message(url: str, message: str, messages: str, connections: str) -> tuple[int, float]:
    """A message object that is ready again and again, over so many connections, each in a thread."""
    made = message_from_bytes(Path(message).read_bytes(), policy=policy.SMTP)
    return _by_smtplib(url, messages, connections, lambda smtp, to: smtp.send_message(made, SENDER, [to]))


def with_sendmail(url: str, message: str, messages: str, connections: str) -> tuple[int, float]:
    """The same with bytes that are ready: nothing is left to smtplib but to send them."""
    content = Path(message).read_bytes()
    return _by_smtplib(url, messages, connections, lambda smtp, to: smtp.sendmail(SENDER, [to], content))


def ours(url: str, message: str, messages: str, connections: str) -> tuple[int, float]:
    """The same by the transport that the worker uses."""
    load = _Load(Path(message).read_bytes(), int(messages))

    def send(clock: _Clock) -> None:
        session = transports.open_session(url, PATIENCE)
        clock.ready()
        session.carry(load)
        clock.done()
        session.close()

    seconds = _in_threads(send, int(connections))
    return load.accepted, seconds


def _by_smtplib(
    url: str, messages: str, connections: str, hand_over: Callable[[smtplib.SMTP, str], object]
) -> tuple[int, float]:
    numbers = count()

    def send(clock: _Clock) -> None:
        with smtplib.SMTP(*_place(url)) as smtp:
            smtp.ehlo()
            clock.ready()
            while (number := next(numbers)) < int(messages):
                hand_over(smtp, _address(number))
            clock.done()

    return int(messages), _in_threads(send, int(connections))


class _Load:
    """So many copies, without a ledger: what is measured is the way."""

    def __init__(self, content: bytes, messages: int) -> None:
        self._content = content
        self._left = messages
        self._lock = threading.Lock()
        self.accepted = 0

    def next(self) -> Outgoing | None:
        with self._lock:
            if not self._left:
                return None
            self._left -= 1
            return Outgoing(self._left, SENDER, _address(self._left), [self._content], "token")

    def handing_over(self, *messages: Outgoing) -> None:
        """Nothing to write down."""

    def answered(self, message: Outgoing, answer: Answer) -> None:
        with self._lock:
            self.accepted += isinstance(answer, Accepted)

    def returned(self, message: Outgoing) -> None:
        with self._lock:
            self._left += 1


def _plain_message(told: dict[str, str], number: int) -> EmailMessage:
    name, leave = f"Zoë {number}", f"https://letters.example.org/leave/{number:040x}"
    message = EmailMessage()
    message["From"] = f"Ken at Slow Letters <{told['sender']}>"
    message["To"] = f"{name} <{_address(number)}>"
    message["Subject"] = told["subject"]
    message["Message-ID"] = f"<{number}@letters.example.org>"
    message["List-Unsubscribe"] = f"<{leave}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(told["text"].replace(told["name_mark"], name).replace(told["leave_mark"], leave))
    html = told["html"].replace(told["name_mark"], escape(name)).replace(told["leave_mark"], leave)
    message.add_alternative(html, subtype="html")
    return message


class _Clock:
    """From the moment when all are connected to the moment when the last is done."""

    def __init__(self, threads: int) -> None:
        self._start = threading.Barrier(threads, action=self._begin)
        self._begun = self._ended = 0.0

    @property
    def seconds(self) -> float:
        return self._ended - self._begun

    def ready(self) -> None:
        self._start.wait(PATIENCE)

    def done(self) -> None:
        self._ended = time.monotonic()

    def _begin(self) -> None:
        self._begun = time.monotonic()


def _in_threads(work: Callable[[_Clock], None], number: int) -> float:
    """The seconds that it took. Raises what one of them could not handle."""
    clock, errors = _Clock(number), list[BaseException]()

    def run() -> None:
        try:
            work(clock)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return clock.seconds


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 25


def _address(number: int) -> str:
    return f"reader{number}@example.com"


_KINDS: dict[str, Callable[..., tuple[int, float]]] = {
    "plain": plain,
    "send_message": with_send_message,
    "sendmail": with_sendmail,
    "ours": ours,
}


def main() -> None:
    kind, *words = sys.argv[1:]
    messages, seconds = _KINDS[kind](*words)
    print(json.dumps({"messages": messages, "seconds": seconds}))


if __name__ == "__main__":
    main()

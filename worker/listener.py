"""A small mail server of ours for what comes back: SMTP, or LMTP behind a mail server of your own.

It takes mail for addresses that carry a token of ours, and for reports at BOUNCE_DOMAIN; it relays nothing and sends
nothing. A message is answered with 250 when what it asks for is in the database.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import ClassVar

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from newsletter.db import db
from newsletter.sending import inbound
from newsletter.sending.inbound import Taken

log = structlog.get_logger()

LARGEST = 10 * 1024 * 1024
MOST_CONNECTIONS = 50
MOST_RECIPIENTS = 20
AT_ONCE = 4  # messages that are worked on
SECONDS = 60.0  # of silence, then the connection is closed
LONGEST_LINE = 100_000  # a returned message may be broken in any way

TAKEN = "250 2.0.0 Taken"
NOT_OURS = "550 5.1.1 There is no such mailbox here"
NO_REPORT = "550 5.7.1 This mailbox takes reports about our own messages only"
LATER = "451 4.3.0 This message cannot be handled now, try again"
TOO_MANY = "452 4.5.3 Too many recipients"
TOO_BUSY = b"421 4.3.2 Too many connections, try again\r\n"


class Handler:
    """What the protocol asks, answered."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._room = asyncio.Semaphore(AT_ONCE)
        self._in_work = 0

    @property
    def is_busy(self) -> bool:
        return self._in_work > 0

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        if not inbound.is_ours(address):
            return NOT_OURS
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002
        sender = (envelope.mail_from or "").strip("<>")
        content = b"Return-Path: <%s>\r\n" % sender.encode("ascii", "replace") + (envelope.original_content or b"")
        self._in_work += 1
        try:
            async with self._room:
                answers = [await asyncio.to_thread(self._take, content, address) for address in envelope.rcpt_tos]
        finally:
            self._in_work -= 1
        if isinstance(server, LMTP):
            return "\r\n".join(answers)  # one for each recipient (RFC 2033 §4.2)
        # One answer for all: what has been done is not done again when the message comes again.
        return next((answer for answer in (LATER, TAKEN) if answer in answers), NO_REPORT)

    def _take(self, content: bytes, address: str) -> str:
        with self._app.app_context():
            try:
                taken = inbound.take(content, address)
                db.session.commit()
            except SQLAlchemyError as error:
                db.session.rollback()
                log.warning("a message could not be taken", reason=type(error).__name__)
                return LATER
            except Exception:  # a bug must not lose the message
                db.session.rollback()
                log.exception("a message could not be taken")
                return LATER
        return NO_REPORT if taken is Taken.NOT_OURS else TAKEN


class _Bounded(SMTP):
    """No more connections than we have room for."""

    line_length_limit = LONGEST_LINE
    open_ones: ClassVar[set[SMTP]] = set()
    is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self.open_ones) >= MOST_CONNECTIONS:
            self.is_refused = True
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(TOO_BUSY)
            transport.close()
            return
        self.open_ones.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.open_ones.discard(self)
        if not self.is_refused:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if not self.is_refused:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return None if self.is_refused else super().eof_received()


class _Smtp(_Bounded):
    pass


class _Lmtp(_Bounded, LMTP):
    pass


async def serve(app: Flask, host: str, port: int, *, lmtp: bool, started: Callable[[str, int], None]) -> None:
    """Take mail until SIGTERM or SIGINT; messages in work are finished first. Raises OSError if the port is taken."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    handler, protocol = Handler(app), _Lmtp if lmtp else _Smtp

    def accept() -> SMTP:
        return protocol(
            handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Newsletter, for what comes back",
            timeout=SECONDS,
            command_call_limit=1000,
            loop=loop,
        )

    server = await loop.create_server(accept, host, port)
    started(*server.sockets[0].getsockname()[:2])
    await ended.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while handler.is_busy:
                await asyncio.sleep(0.05)

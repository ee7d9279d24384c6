"""The demo: a publication, five hundred readers and a post on its way to them, all on this machine.

Every step looks at what is there already, so that a demo which was killed is completed by the next one.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from rich.panel import Panel
from rich.table import Table
from sqlalchemy import select

from newsletter import clock, config
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts import publishing
from newsletter.posts.models import Post, PostStatus
from newsletter.sending.models import Mailing
from newsletter.sending.queries import Progress
from newsletter.terminal.mailing import follow
from newsletter.terminal.screen import count, harmless, out, say
from newsletter.up import demo_check, demo_house, demo_money, demo_people
from newsletter.up.demo_note import DemoNote
from newsletter.up.supervisor import Stack

_PATIENCE = 600.0  # seconds for the whole mailing
_SHOWN = 20  # differences
_NOT_OF_THE_DEMO = {"MAIL_URL", "SITE_URL", "INBOX_DIR", "TILL_URL"}


class NotForTheDemo(NewsletterError):
    """The demo would work on data that is not its own."""


class NotEveryone(NewsletterError):
    """Somebody has too many messages, or too few."""


def run(folder: Path, *, web_port: int, mail_port: int, once: bool) -> None:
    """Raises NotEveryone when the inbox is not as it must be; otherwise stays until Ctrl-C, unless `once`."""
    environment = _of_the_demo(os.environ)
    if "MAIL_URL" in os.environ:
        say("MAIL_URL is not used: the demo mails nobody.")
    _refuse_the_data_of_others(folder, environment)
    note = DemoNote.of(folder)
    _end_by_signals()
    began = time.monotonic()
    stack = Stack(folder, web_port, mail_port, _say_what_matters, environment)
    try:
        with out.status("Starting PostgreSQL, Valkey, the site, a worker and an inbox"):
            stack.start()
        say(f"Everything runs ({time.monotonic() - began:.1f} s).")
        _play(stack, note)
        if not once:
            say("Stop with Ctrl-C. A second demo goes on with this data.")
            stack.wait()
    except KeyboardInterrupt:
        say("Stopping.")
        if not note.is_complete:
            raise SystemExit(128 + signal.SIGINT) from None
    finally:
        stack.stop()


def _play(stack: Stack, note: DemoNote) -> None:
    from newsletter.app import create_app  # the settings are known only now

    os.environ.update({name: stack.env[name] for name in stack.env if name.lower() in config.Settings.model_fields})
    config.settings.cache_clear()
    with create_app().app_context():
        _settle(stack.var, note.password)
        if config.settings().till_url:
            demo_money.settle()
        mailing_id = _send()
        numbers = follow(mailing_id, patience=_PATIENCE)
        db.session.remove()
    due = demo_people.due(demo_people.MAIN)
    # Whoever has seen a complete demo may have signed up, or sent a test: that is other mail, and not a fault.
    found = demo_check.differences(stack.inbox, mailing_id, due, strict=not note.is_complete)
    _show_the_way(stack, note.password)
    _judge(numbers, due, found)
    note.complete()


def _settle(var: Path, password: str) -> None:
    with out.status("Founding a publication, and inviting 500 readers"):
        demo_house.settle(password)
        db.session.commit()
        if not demo_people.are_settled():
            demo_people.settle(var / "demo-readers.csv")
            db.session.commit()


def _send() -> int:
    """Schedule the post, if nobody has. Returns its mailing."""
    post = db.session.scalars(select(Post).where(Post.slug == demo_house.MAIN_POST)).one()
    if post.status is PostStatus.DRAFT:
        publishing.schedule(post, clock.now(), post.newsletter.publication.time_zone, accepted=demo_house.ACCEPTED)
        db.session.commit()
    return _wait_for_mailing(post.id).id


def _wait_for_mailing(post_id: int) -> Mailing:
    until = time.monotonic() + 90
    while True:
        db.session.rollback()
        mailing = db.session.scalars(select(Mailing).where(Mailing.post_id == post_id).order_by(Mailing.id)).first()
        if mailing:
            return mailing
        if trouble := db.session.get_one(Post, post_id).trouble:
            raise NotEveryone(f"The post could not be sent: {trouble}")
        if time.monotonic() > until:
            raise NotEveryone("No worker has begun to send the post. See worker.log in the folder log.")
        time.sleep(0.2)


def _judge(numbers: Progress, due: set[str], found: list[str]) -> None:
    if numbers.accepted != len(due) or numbers.due != len(due):
        found = [f"{len(due):,} are due; the mailing counts {numbers.accepted:,} accepted of {numbers.due:,}", *found]
    if found:
        more = [f"and {count(len(found) - _SHOWN, 'difference')} more"] if len(found) > _SHOWN else []
        raise NotEveryone("\n".join(["The inbox is not as it must be:", *found[:_SHOWN], *more]))
    say(f"{len(due):,} readers are due. Each has exactly one message, and nobody else has one.")


def _show_the_way(stack: Stack, password: str) -> None:
    way = Table.grid(padding=(0, 3, 0, 0))
    way.add_row("Site", f"{stack.site_url}/", "")
    way.add_row("Desk", f"{stack.site_url}/desk", harmless(f"{demo_house.OWNER_EMAIL}   {password}"))
    if "TILL_URL" in stack.env:
        way.add_row("Support", f"{stack.site_url}/support", "pay with the card 4242 4242 4242 4242: no money moves")
    way.add_row("Inbox", f"{stack.site_url}/inbox/", harmless(f"the same as files: {stack.inbox}"))
    out.print(Panel(way, title="The Red Thread", title_align="left", border_style="dim", padding=(1, 2), expand=False))


def _of_the_demo(environment: Mapping[str, str]) -> dict[str, str]:
    """The demo mails nobody, links to itself and takes no money, whatever is set for the real thing."""
    kept = {name: value for name, value in environment.items() if name not in _NOT_OF_THE_DEMO}
    return {**kept, "BILLING": "off" if environment.get("BILLING") == "off" else "test"}


def _refuse_the_data_of_others(folder: Path, environment: Mapping[str, str]) -> None:
    """Before anything starts: the demo's worker would hand real mailings to an inbox on this machine."""
    if url := environment.get("DATABASE_URL"):
        if _has_other_owners(f"postgresql://{url.partition('://')[2]}"):
            raise NotForTheDemo(
                "DATABASE_URL names a database with a publication of its own. Give the demo an empty one."
            )
    elif (folder / "postgres").exists() and not DemoNote.path(folder).exists():
        raise NotForTheDemo(f"The data in {folder} is not the demo's. Choose another place with --folder.")


def _has_other_owners(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            publications = connection.execute("SELECT count(*) FROM publication").fetchone()
            ours = connection.execute("SELECT 1 FROM staff WHERE email = %s", (demo_house.OWNER_EMAIL,)).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    except psycopg.OperationalError as error:
        raise NotForTheDemo(f"The database at DATABASE_URL does not answer: {str(error).splitlines()[0]}") from None
    return bool(publications and publications[0]) and not ours


def _say_what_matters(name: str, line: str) -> None:
    """The processes write to their logs; what the supervisor says about ports and restarts is for the person."""
    if name == "up":
        say(line)


def _end_by_signals() -> None:
    """The first one begins an orderly end, and nothing interrupts that."""

    def end(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)

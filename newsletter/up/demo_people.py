"""The five hundred readers of the demo: every state, names from everywhere, and some that mean no good."""

import csv
import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.imports import run as imports
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import consent, erasure, leaving, preferences, suppression
from newsletter.subscribers.addresses import key
from newsletter.subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SuppressionReason,
)
from newsletter.tiers.models import Membership, Tier
from newsletter.up.demo_names import FIRST, HOSTILE, LAST, handle

MAIN, NOTES = "the-red-thread", "postscript"
CONSENT = "made up for the demo: none of these people exist"


class Fate(StrEnum):
    READS = "reads"
    PAYS = "pays"
    PENDING = "pending"
    PAUSED = "paused"
    LEFT = "left"
    LEFT_MAIN = "left the main newsletter, kept the other"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


_FATES = {
    Fate.READS: 290, Fate.PAYS: 45, Fate.PENDING: 40, Fate.PAUSED: 25, Fate.LEFT: 50, Fate.LEFT_MAIN: 10,
    Fate.BOUNCED: 16, Fate.COMPLAINED: 8, Fate.ERASED: 16,
}  # fmt: skip
_BOTH, _MAIN_ONLY, _NOTES_ONLY = (MAIN, NOTES), (MAIN,), (NOTES,)

_HOSTS = ["example.com", "mail.example.com", "example.org", "post.example.org", "example.net", "uni.example.net"]


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    fate: Fate
    newsletters: tuple[str, ...]


def people() -> list[Person]:
    """The same five hundred each time."""
    fates = [fate for fate, number in _FATES.items() for _ in range(number)]
    dice = random.Random(2)  # noqa: S311  # not for secrets: the same people each time
    dice.shuffle(fates)
    return [_person(number, fate) for number, fate in enumerate(fates)]


def due(slug: str) -> set[str]:
    """The addresses that a post to this newsletter must reach, told without asking the product."""
    reads = {Fate.READS, Fate.PAYS} | ({Fate.LEFT_MAIN} if slug != MAIN else set())
    return {person.email for person in people() if person.fate in reads and slug in person.newsletters}


def settle(file: Path) -> None:
    """Bring all of them in by an import, then let life happen. All or nothing: the caller commits."""
    everyone = people()
    _write(file, [person for person in everyone if person.fate is not Fate.PENDING])
    imports.run(imports.Order(file, CONSENT), note=lambda remark: None, progress=lambda line: None)  # noqa: ARG005
    _ask([person for person in everyone if person.fate is Fate.PENDING])
    db.session.flush()
    readers = {reader.email_key: reader for reader in db.session.scalars(select(Subscriber))}
    for number, person in enumerate(everyone):
        _live(readers[key(person.email)], person.fate, number)


def are_settled() -> bool:
    return db.session.scalar(select(Subscriber.id).limit(1)) is not None


def _person(number: int, fate: Fate) -> Person:
    first, first_handle = FIRST[number % len(FIRST)].split()
    last = LAST[(number // len(FIRST) + number) % len(LAST)]
    box = f"{first_handle}.{handle(last)}{number}"
    if number % 41 == 7:
        box = f"{box}+letters".title()  # capitals and tags are part of an address
    is_hostile = number % 30 == 11 and number // 30 < len(HOSTILE)
    called = first if number % 3 else f"{first} {last}"
    name = HOSTILE[number // 30] if is_hostile else called
    lists = _BOTH if number % 3 == 0 or fate is Fate.LEFT_MAIN else _NOTES_ONLY if number % 5 == 1 else _MAIN_ONLY
    return Person(f"{box}@{_HOSTS[number % len(_HOSTS)]}", name, fate, lists)


def _write(file: Path, everyone: list[Person]) -> None:
    """A file as a spreadsheet exports it, with two lines that must be refused."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(["Email Address", "Name", "Newsletters", "Tags"])
        writer.writerow(["mallory@example.com", "Mallory\r\nBcc: everyone@example.com", MAIN, ""])
        writer.writerow(["not an address", "Nobody", MAIN, ""])
        for number, person in enumerate(everyone):
            tags = "autumn fair" if number % 7 == 0 else ""
            writer.writerow([person.email, person.name, ", ".join(person.newsletters), tags])


def _ask(waiting: list[Person]) -> None:
    """They filled in the form and have not pressed the button in the mail. (Which the demo does not send.)"""
    publication_id = Publication.current().id
    newsletters = {newsletter.slug: newsletter for newsletter in Newsletter.open()}
    for person in waiting:
        chosen = [newsletters[slug] for slug in person.newsletters]
        reader = Subscriber(
            publication_id=publication_id,
            email=person.email,
            email_key=key(person.email),
            name=person.name,
            source="form",
            subscriptions=[Subscription(newsletter=newsletter) for newsletter in chosen],
        )
        db.session.add(reader)
        db.session.flush()
        wording = consent.wording(chosen[0].publication.name, [newsletter.name for newsletter in chosen])
        ids = [newsletter.id for newsletter in chosen]
        consent.record(reader, ConsentKind.ASKED, newsletter_ids=ids, wording=wording)


def _live(reader: Subscriber, fate: Fate, number: int) -> None:
    if fate is not Fate.PENDING:
        _came(reader, days_ago=3 + number * 37 % 700)
    match fate:
        case Fate.PAYS:
            tier = db.session.scalars(select(Tier)).first()
            db.session.add(Membership(subscriber_id=reader.id, tier=tier, started_at=reader.created_at))
        case Fate.PAUSED:
            preferences.pause(reader, clock.now() + timedelta(days=10 + number % 80))
        case Fate.LEFT:
            leaving.leave(reader.id, None, reason="too many letters" if number % 4 else "")
        case Fate.LEFT_MAIN:
            main = next(newsletter for newsletter in reader.newsletters if newsletter.slug == MAIN)
            leaving.leave(reader.id, main.id)
        case Fate.BOUNCED:
            _suppress(reader, SuppressionReason.BOUNCED, ConsentKind.BOUNCED)
        case Fate.COMPLAINED:
            _suppress(reader, SuppressionReason.COMPLAINED, ConsentKind.COMPLAINED)
        case Fate.ERASED:
            erasure.forget(reader)


def _came(reader: Subscriber, *, days_ago: int) -> None:
    """Spread over two years, as on a list that has grown."""
    then = clock.now() - timedelta(days=days_ago, minutes=days_ago * 17 % 1440)
    reader.created_at = reader.confirmed_at = then
    for subscription in reader.subscriptions:
        subscription.joined_at = then
    for event in db.session.scalars(select(ConsentEvent).where(ConsentEvent.subscriber_id == reader.id)):
        event.at = then


def _suppress(reader: Subscriber, reason: SuppressionReason, kind: ConsentKind) -> None:
    assert reader.email_key is not None
    suppression.suppress(reader.email_key, reason, reader.publication_id)
    consent.record(reader, kind)

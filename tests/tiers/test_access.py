"""The rule of access, said in Python and in SQL: both say the same, whatever is held."""

import random
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Text, bindparam, select

import emails
from newsletter import clock
from newsletter.db import array, db
from newsletter.publication.models import Publication
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access, catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Membership, MembershipKind, MembershipState, Tier
from tests import factories


def tiers() -> list[Tier]:
    factories.newsletter()
    made = [catalogue.add(Publication.current(), Listing(name=name)) for name in ("Friends", "Patrons", "Founders")]
    db.session.flush()
    return made


@pytest.mark.parametrize("seed", range(6))
def test_python_and_sql_agree_on_every_reader_and_every_post(app: Flask, seed: int) -> None:
    chance, offered = random.Random(seed), tiers()
    readers = [factories.subscriber(f"reader{number}@example.com") for number in range(25)]
    for reader in readers:
        for tier in chance.sample(offered, chance.choice((0, 1, 1, 2))):
            begins, ends = chance.choice(((-9, None), (-9, 9), (-9, -1), (1, 9), (-9, 0.001), (-0.001, 9)))
            db.session.add(
                Membership(
                    subscriber_id=reader.id,
                    tier=tier,
                    kind=chance.choice(list(MembershipKind)),
                    state=chance.choice(list(MembershipState)),
                    started_at=clock.now() + timedelta(days=begins),
                    ends_at=clock.now() + timedelta(days=ends) if ends is not None else None,
                )
            )
    db.session.flush()
    seen = set()

    for wanted in ([], [offered[0].id], [offered[1].id, offered[2].id], [10**6]):
        in_sql = dict(
            db.session.execute(
                select(Subscriber.id, access.kind(Subscriber.id, bindparam("tier_ids", array(wanted), type_=Text)))
            ).all()
        )
        paying = set(db.session.scalars(select(Subscriber.id).where(access.is_paying(Subscriber.id, wanted))))
        for reader in readers:
            kind = access.audience_of(reader.id, wanted)
            assert in_sql[reader.id] == kind.value
            assert (reader.id in paying) is (kind is emails.Audience.PAYING)
            seen.add(kind)
    assert seen == {emails.Audience.FREE, emails.Audience.PAYING, emails.Audience.OTHER}


def test_only_who_pays_for_it_reads_a_paid_post_and_only_strangers_are_kept_from_one_for_subscribers() -> None:
    readers = {
        audience: {kind.value for kind in emails.Audience if access.may_read(audience, kind)}
        for audience in access.OPEN_TO
    }

    assert readers == {
        "everyone": {"stranger", "free", "paying", "other"},
        "subscribers": {"free", "paying", "other"},
        "paying": {"paying"},
    }

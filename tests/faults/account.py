"""What is left when all is over: who got the message, who did not, and whether the ledger says so."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import text

from newsletter.db import db
from newsletter.sending import letters
from tests.faults.sink import Sink


@dataclass(frozen=True)
class Account:
    """One mailing, and those that followed from decisions about it, held against what the mail server has."""

    audience: int
    outcomes: Counter[str]  # of the mailing itself
    lost: list[int]  # without a message, and nobody says why
    twice: list[int]  # more messages than were decided
    unconfirmed: int
    wrong: list[str]  # the ledger says something that is not so
    bound: int
    why: dict[str, int]  # they are in doubt

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)}, twice {len(self.twice)}, "
            f"unconfirmed {self.unconfirmed} (of at most {self.bound}) of {self.audience}"
        )


def settle(sink: Sink, *, unconfirmed: int, mailing_id: int = 1, decided: frozenset[int] = frozenset()) -> Account:
    """Count everything. `unconfirmed` is the most that may be in doubt: one for each connection at each kill.

    `decided` are the readers to whom the author has had it sent once more.
    """
    db.session.rollback()
    audience, state = db.session.execute(
        text("SELECT audience_count, state FROM mailing WHERE id = :id AND finished_at IS NOT NULL"), {"id": mailing_id}
    ).one()
    rows = db.session.execute(
        text("""
            SELECT reader.id, coalesce(delivery.outcome, '') AS outcome
            FROM chunk CROSS JOIN unnest(chunk.reader_ids) AS reader (id)
            LEFT JOIN delivery ON delivery.mailing_id = chunk.mailing_id AND delivery.subscriber_id = reader.id
            WHERE chunk.mailing_id = :id
        """),
        {"id": mailing_id},
    ).all()
    copies = _copies(sink, mailing_id, [row.id for row in rows])
    outcomes = Counter(row.outcome for row in rows)
    account = Account(
        audience=audience,
        outcomes=outcomes,
        lost=[row.id for row in rows if not copies[row.id] and row.outcome in ("accepted", "")],
        twice=[reader for reader, count in copies.items() if count > 1 + (reader in decided)],
        unconfirmed=outcomes["unconfirmed"],
        wrong=[
            f"reader {row.id} is {row.outcome}"
            for row in rows
            if copies[row.id] and row.outcome in ("refused", "skipped", "expired", "")
        ],
        bound=unconfirmed,
        why=Counter(
            db.session.scalars(
                text("SELECT reply FROM delivery WHERE mailing_id = :id AND outcome = 'unconfirmed'"),
                {"id": mailing_id},
            )
        ),
    )
    assert len(rows) == audience
    assert outcomes.total() - outcomes[""] == audience
    assert state in ("finished", "stopped")
    _assert_sums_are_right(mailing_id, outcomes)
    return account


def _copies(sink: Sink, mailing_id: int, readers: list[int]) -> Counter[int]:
    """How many messages each reader got, whatever address they went to."""
    told = letters.load(mailing_id)
    whose = {told.message_id(reader): reader for reader in readers}
    prefix = f"m{told.root_id}."
    kept = Counter(each.message_id for each in sink.messages() if each.message_id.startswith(prefix))
    assert kept.keys() <= whose.keys()  # nobody who is not in the audience
    return Counter({whose[message_id]: count for message_id, count in kept.items()})


def _assert_sums_are_right(mailing_id: int, outcomes: Counter[str]) -> None:
    sums = db.session.execute(
        text("""
            SELECT sum(accepted) AS accepted, sum(refused) AS refused, sum(skipped) AS skipped,
                   sum(expired) AS expired, sum(unconfirmed) AS unconfirmed,
                   count(*) FILTER (WHERE state <> 'done') AS open,
                   (SELECT count(*) FROM delivery WHERE mailing_id = :id) AS ledger,
                   (SELECT count(*) FROM waiting WHERE mailing_id = :id) AS waiting
            FROM chunk WHERE mailing_id = :id
        """),
        {"id": mailing_id},
    ).one()
    assert {name: getattr(sums, name) for name in outcomes} == dict(outcomes)
    assert (sums.open, sums.waiting, sums.ledger) == (0, 0, outcomes.total())

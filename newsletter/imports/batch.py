"""A batch of imported readers, entered by set-based statements."""

from collections.abc import Set

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from newsletter.db import db
from newsletter.imports import verdicts
from newsletter.imports.values import Origin, Remark, Result, Wanted
from newsletter.imports.verdicts import CHANGED_MEANWHILE, Standing, Verdict
from newsletter.subscribers import suppression
from newsletter.subscribers.models import ConsentEvent, ConsentKind, Subscriber, Subscription


def begin() -> None:
    """One import at a time, and a place to remember the addresses of this one, whatever their number."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('newsletter import'))"))
    db.session.execute(text("DROP TABLE IF EXISTS pg_temp.import_seen"))
    db.session.execute(text("CREATE TEMPORARY TABLE import_seen (key text PRIMARY KEY, line bigint) ON COMMIT DROP"))


def enter(lines: list[Wanted], origin: Origin) -> list[Remark]:
    """Enter these readers; says for each line what became of it."""
    earlier = _remember(lines)
    readers, remarks = _one_for_each_address(lines, earlier)
    suppressed = suppression.known(readers)
    added = _add({key: wanted for key, wanted in readers.items() if key not in suppressed}, origin)
    known = _standing(readers.keys() - suppressed.keys() - added.keys())
    decided: dict[str, Verdict] = {}
    for key, wanted in readers.items():
        if key in suppressed:
            decided[key] = verdicts.of_suppressed(suppressed[key], origin)
        elif key in added:
            decided[key] = Verdict(Result.ADDED, "", added[key], wanted.newsletter_ids)
        else:
            decided[key] = verdicts.of_known(wanted, known[key], origin) if key in known else CHANGED_MEANWHILE
    _subscribe(readers, decided, origin)
    tagged = _tag(readers, decided, origin)
    for key, wanted in readers.items():
        if key not in earlier:
            remarks.append(decided[key].remark(wanted, has_new_tags=decided[key].subscriber_id in tagged))
    return remarks


def _remember(lines: list[Wanted]) -> dict[str, int]:
    """Which of these addresses stood in an earlier batch, and in which line."""
    keys, numbers = [wanted.key for wanted in lines], [wanted.line for wanted in lines]
    earlier = db.session.execute(
        text("SELECT key, line FROM import_seen WHERE key = ANY(cast(:keys AS text[]))"), {"keys": keys}
    )
    found: dict[str, int] = dict(earlier.all())
    db.session.execute(
        text(
            "INSERT INTO import_seen SELECT * FROM unnest(cast(:keys AS text[]), cast(:lines AS bigint[])) "
            "ON CONFLICT DO NOTHING"
        ),
        {"keys": keys, "lines": numbers},
    )
    return found


def _one_for_each_address(lines: list[Wanted], earlier: dict[str, int]) -> tuple[dict[str, Wanted], list[Remark]]:
    readers: dict[str, Wanted] = {}
    repeated = []
    for wanted in lines:
        first = readers.get(wanted.key)
        if first or wanted.key in earlier:
            line = first.line if first and wanted.key not in earlier else earlier[wanted.key]
            sentence = f"The same address as in line {line}."
            repeated.append(Remark(wanted.line, wanted.email, Result.REPEATED, sentence))
        readers[wanted.key] = first.together_with(wanted) if first else wanted
    return readers, repeated


def _add(readers: dict[str, Wanted], origin: Origin) -> dict[str, int]:
    """Enter those we do not know. Returns their ids."""
    rows = db.session.execute(
        text(
            "INSERT INTO subscriber (publication_id, email, email_key, name, source, confirmed_at) "
            "SELECT :publication_id, email, key, name, 'import', now() "
            "FROM unnest(cast(:emails AS text[]), cast(:keys AS text[]), cast(:names AS text[])) "
            "AS file(email, key, name) ON CONFLICT (publication_id, email_key) DO NOTHING RETURNING email_key, id"
        ),
        {
            "publication_id": origin.publication.id,
            "emails": [wanted.email for wanted in readers.values()],
            "keys": list(readers),
            "names": [wanted.name for wanted in readers.values()],
        },
    )
    return dict(rows.all())


def _standing(keys: Set[str]) -> dict[str, Standing]:
    people = db.session.execute(
        select(
            Subscriber.email_key,
            Subscriber.id,
            Subscriber.created_at,
            Subscriber.confirmed_at.is_not(None),
            Subscriber.suppressed_at.is_not(None),
        ).where(Subscriber.email_key.in_(keys))
    )
    known = {
        key: Standing(subscriber_id, asked_at, is_confirmed, is_suppressed, {})
        for key, subscriber_id, asked_at, is_confirmed, is_suppressed in people
        if key is not None
    }
    by_id = {standing.subscriber_id: standing for standing in known.values()}
    for subscriber_id, newsletter_id, left_at in db.session.execute(
        select(Subscription.subscriber_id, Subscription.newsletter_id, Subscription.left_at).where(
            Subscription.subscriber_id.in_(by_id)
        )
    ):
        by_id[subscriber_id].left_at[newsletter_id] = left_at
    return known


def _subscribe(readers: dict[str, Wanted], decided: dict[str, Verdict], origin: Origin) -> None:
    """The subscriptions, and for each reader the proof of where they agreed."""
    joins = [(readers[key], verdict) for key, verdict in decided.items() if verdict.newsletter_ids]
    pairs = [(verdict.subscriber_id, each) for _, verdict in joins for each in verdict.newsletter_ids]
    if not pairs:
        return
    db.session.execute(
        insert(Subscription).on_conflict_do_nothing(),  # who left in this very moment stays left
        [{"subscriber_id": subscriber_id, "newsletter_id": each} for subscriber_id, each in pairs],
    )
    db.session.execute(
        insert(ConsentEvent),
        [
            {
                "subscriber_id": verdict.subscriber_id,
                "kind": ConsentKind.IMPORTED,
                "newsletter_ids": list(verdict.newsletter_ids),
                "detail": {"source": origin.consent, "file": origin.file, "line": wanted.line},
            }
            for wanted, verdict in joins
        ],
    )


def _tag(readers: dict[str, Wanted], decided: dict[str, Verdict], origin: Origin) -> set[int]:
    """Returns the ids of those who got a tag they did not have."""
    pairs = [(verdict.subscriber_id, tag) for key, verdict in decided.items() for tag in readers[key].tags]
    pairs = [(subscriber_id, tag) for subscriber_id, tag in pairs if subscriber_id is not None]
    if not pairs:
        return set()
    given = {
        "publication_id": origin.publication.id,
        "ids": [subscriber_id for subscriber_id, _ in pairs],
        "tags": [tag for _, tag in pairs],
    }
    db.session.execute(
        text(
            "INSERT INTO tag (publication_id, name) SELECT DISTINCT cast(:publication_id AS bigint), name "
            "FROM unnest(cast(:tags AS text[])) AS file(name) ON CONFLICT DO NOTHING"
        ),
        given,
    )
    tagged = db.session.scalars(
        text(
            "INSERT INTO subscriber_tag (subscriber_id, tag_id) SELECT file.id, tag.id "
            "FROM unnest(cast(:ids AS bigint[]), cast(:tags AS text[])) AS file(id, name) "
            "JOIN tag ON tag.name = file.name AND tag.publication_id = :publication_id "
            "ON CONFLICT DO NOTHING RETURNING subscriber_id"
        ),
        given,
    )
    return set(tagged)

"""What the desk sees of its readers."""

from datetime import timedelta

import pytest

from newsletter import clock
from newsletter.db import db
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent, erasure, preferences, queries, suppression
from newsletter.subscribers.models import ConsentKind, Subscriber, SubscriberState, SuppressionReason
from tests import cast, factories


@pytest.fixture
def everybody(weekly: Newsletter) -> dict[SubscriberState, Subscriber]:
    people = {
        SubscriberState.ACTIVE: cast.ada(),
        SubscriberState.LEFT: cast.linus(),
        SubscriberState.PENDING: factories.subscriber("pending@example.com", confirmed_at=None),
        SubscriberState.PAUSED: factories.subscriber(
            "paused@example.com", paused_until=clock.now() + timedelta(days=1)
        ),
        SubscriberState.SUPPRESSED: factories.subscriber("suppressed@example.com"),
        SubscriberState.ERASED: factories.subscriber("erased@example.com"),
    }
    suppression.suppress("suppressed@example.com", SuppressionReason.BOUNCED)
    erasure.forget(people[SubscriberState.ERASED])
    db.session.commit()
    return people


def test_every_state_is_counted_as_the_reader_says_of_itself(everybody: dict[SubscriberState, Subscriber]) -> None:
    assert queries.counts() == dict.fromkeys(SubscriberState, 1)
    for state, reader in everybody.items():
        assert reader.state is state
        assert [found.id for found in queries.search(state=state).readers] == [reader.id]


def test_only_active_readers_can_be_reached(weekly: Newsletter, everybody: dict[SubscriberState, Subscriber]) -> None:
    assert queries.reachable(weekly.id) == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [("ADA", 1), ("ada example", 1), ("ada linus", 0), ("%", 0), ("_", 0), ("example.com", 5), ("", 6)],
)
def test_readers_are_found_by_parts_of_address_and_name(
    everybody: dict[SubscriberState, Subscriber], words: str, found: int
) -> None:
    assert queries.matching(words) == found
    assert len(queries.search(words).readers) == found


def test_pages_follow_each_other_without_gap_or_repetition(weekly: Newsletter) -> None:
    ids = [factories.subscriber(f"reader{n}@example.com").id for n in range(25)]

    seen, after = [], None
    while True:
        page = queries.search(after_id=after, limit=10)
        seen += [reader.id for reader in page.readers]
        after = page.next_after
        if after is None:
            break

    assert seen == ids[::-1]


def test_the_history_of_a_reader_tells_what_was_done_and_when(weekly: Newsletter) -> None:
    ada = cast.ada()
    consent.record(ada, ConsentKind.IMPORTED, newsletter_ids=[weekly.id], source="a fair", empty="")
    preferences.leave(ada.id, weekly.id, mailing_id=7)
    db.session.commit()

    left, imported = queries.history(ada)

    assert isinstance(left, queries.ConsentLine)
    assert (left.kind, left.newsletters, left.detail["mailing_id"]) == (ConsentKind.LEFT, ["The Weekly"], 7)
    assert isinstance(imported, queries.ConsentLine)
    assert imported.detail == {"source": "a fair"}

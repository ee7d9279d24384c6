"""How an audience is frozen."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import start
from newsletter.sending.models import Chunk
from tests import factories


@pytest.mark.parametrize(
    ("readers", "size"),
    [(0, 250), (250, 250), (4_999, 250), (20_000, 1_000), (40_000, 2_000), (1_000_000, 2_000)],
)
def test_a_chunk_is_a_share_of_the_audience_within_bounds(readers: int, size: int) -> None:
    assert start.chunk_size(readers) == size


@pytest.mark.usefixtures("app")
def test_every_reader_is_in_one_chunk_in_the_order_of_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "SMALLEST_CHUNK", 3)
    weekly = factories.newsletter()
    ids = [factories.subscriber(f"reader{number}@mail.example", on=[weekly]).id for number in range(7)]
    post = factories.post()
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.flush()

    mailing = start.start(post.id)

    assert mailing is not None
    query = select(Chunk.reader_ids, Chunk.size).where(Chunk.mailing_id == mailing.id).order_by(Chunk.number)
    assert db.session.execute(query).all() == [(ids[:3], 3), (ids[3:6], 3), (ids[6:], 1)]
    assert mailing.audience_count == 7

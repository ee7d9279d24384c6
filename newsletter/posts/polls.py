"""Votes on the questions that posts ask. A question among friends, not an election: nobody's name is with a vote."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

import emails
from emails.elements import Poll
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.posts.models import PollVote, Post, Revision

_KEY = re.compile(r"[0-9a-f]{12}")


class NoSuchPoll(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such question.")


class NoSuchAnswer(NewsletterError):
    status = 400

    def __init__(self) -> None:
        super().__init__("Choose one of the answers.")


@dataclass(frozen=True)
class Result:
    answer: str
    votes: int
    percent: int


def find(post: Post, key: str) -> Poll:
    """The poll, in whatever version of the post asked it: letters that have left ask as they did. Raises NoSuchPoll."""
    if not _KEY.fullmatch(key):
        raise NoSuchPoll
    asks = Revision.source.contains(":::poll")
    newest_first = (
        select(Revision.id, func.md5(Revision.source).label("digest"))
        .where(Revision.post_id == post.id, asks)
        .order_by(Revision.number.desc())
    )
    for revision in db.session.execute(newest_first).all():
        for poll in _of_revision(revision.id, revision.digest):
            if poll.key == key:
                return poll
    raise NoSuchPoll


def vote(post: Post, poll: Poll, answer: int, voter: str) -> None:
    """Count a vote for an answer (from 1). A second one by the same voter takes the place of the first.

    Raises NoSuchAnswer.
    """
    if not 1 <= answer <= len(poll.answers):
        raise NoSuchAnswer
    row = insert(PollVote).values(post_id=post.id, poll=poll.key, voter=voter, answer=answer)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=[PollVote.post_id, PollVote.poll, PollVote.voter],
            set_={"answer": row.excluded.answer, "at": func.now()},
        )
    )


def results(post: Post, poll: Poll) -> list[Result]:
    counted = _counts(post, poll.key)
    total = sum(counted.values()) or 1
    return [
        Result(answer, counted.get(number, 0), round(100 * counted.get(number, 0) / total))
        for number, answer in enumerate(poll.answers, 1)
    ]


def of_post(post: Post) -> list[tuple[Poll, list[Result]]]:
    """What the newest version asks, and what was answered; for the desk."""
    newest = db.session.scalar(
        select(Revision.source).where(Revision.post_id == post.id).order_by(Revision.number.desc()).limit(1)
    )
    return [(poll, results(post, poll)) for poll in _in(newest or "")]


def _counts(post: Post, key: str) -> Mapping[int, int]:
    query = (
        select(PollVote.answer, func.count().label("votes"))
        .where(PollVote.post_id == post.id, PollVote.poll == key)
        .group_by(PollVote.answer)
    )
    return {row.answer: row.votes for row in db.session.execute(query)}


@lru_cache(maxsize=4096)
def _of_revision(revision_id: int, _digest: str) -> tuple[Poll, ...]:
    """Reading a version takes a while, anybody may ask, and it never changes. The digest tells databases apart."""
    return tuple(_in(db.session.scalar(select(Revision.source).where(Revision.id == revision_id)) or ""))


def _in(source: str) -> list[Poll]:
    if ":::poll" not in source:
        return []
    try:
        read = emails.read_post(source)
        document = emails.parse(read.body, read.body_line)
    except emails.SourceError:
        return []
    return [block for block in document.walk() if isinstance(block, Poll)]

"""The readers of the demo, told by the product: as many of every state as were meant."""

from collections import Counter
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import queries
from newsletter.subscribers.models import Subscriber, SubscriberState
from newsletter.up import demo_house, demo_people
from newsletter.up.demo_people import MAIN, NOTES, Fate
from tests import factories
from tests.cli.conftest import Newsletter as Command
from tests.doubles import JobQueue


def test_everyone_is_in_the_state_they_were_meant_for(app: Flask, tmp_path: Path, jobs_queue: JobQueue) -> None:
    demo_house.settle("a quiet sentence about mail")
    demo_people.settle(tmp_path / "readers.csv")
    db.session.commit()

    meant = Counter(person.fate for person in demo_people.people())
    assert queries.counts() == {
        SubscriberState.PENDING: meant[Fate.PENDING],
        SubscriberState.ACTIVE: meant[Fate.READS] + meant[Fate.PAYS] + meant[Fate.LEFT_MAIN],
        SubscriberState.PAUSED: meant[Fate.PAUSED],
        SubscriberState.LEFT: meant[Fate.LEFT],
        SubscriberState.SUPPRESSED: meant[Fate.BOUNCED] + meant[Fate.COMPLAINED],
        SubscriberState.ERASED: meant[Fate.ERASED],
    }
    for slug in (MAIN, NOTES):
        newsletter = Newsletter.by_slug(slug)
        assert newsletter
        mailable = db.session.scalars(select(Subscriber.email).where(Subscriber.may_be_mailed(newsletter.id)))
        assert set(mailable) == demo_people.due(slug)
    quiet = {Job.FINISH_PICTURE, Job.KEEP_MEMBERSHIPS}  # the erased reader's payments are to end
    assert {job for job, _ in jobs_queue.waiting} <= quiet  # nobody is written to by being invited


def test_the_house_stands_once_and_a_lost_note_changes_only_the_password(app: Flask, jobs_queue: JobQueue) -> None:
    demo_house.settle("a quiet sentence about mail")
    db.session.commit()
    demo_house.settle("another sentence about mail")
    db.session.commit()

    assert len(db.session.scalars(select(Publication)).all()) == 1
    assert [newsletter.slug for newsletter in Newsletter.open()] == [MAIN, NOTES]
    states = Counter(db.session.scalars(select(Post.status)))
    assert states == {PostStatus.PUBLISHED: 3, PostStatus.DRAFT: 1}
    main = Post.by_slug(demo_house.MAIN_POST)
    assert main
    assert "demo.invalid" not in main.revisions[-1].source


def test_a_database_with_a_publication_of_its_own_is_left_alone(newsletter: Command, tmp_path: Path) -> None:
    factories.publication()
    db.session.commit()

    done = newsletter("demo", "--folder", tmp_path / "var", "--once")  # DATABASE_URL names the test's own

    assert done.exit_code == 1
    assert "a publication of its own" in done.stderr
    assert not (tmp_path / "var").exists()

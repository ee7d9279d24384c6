"""A post from the first save to the schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.posts import content, publishing, queries, slugs
from newsletter.posts.models import NotADraft, Post, PostStatus, Revision
from tests import factories

pytestmark = pytest.mark.usefixtures("app")

SOURCE = "---\ntitle: On slow mail\n---\n\nHello {name|there}.\n"


def test_each_save_is_a_revision_and_saving_the_same_is_none(app: Flask) -> None:
    factories.newsletter()
    post = publishing.write(SOURCE)
    publishing.write(SOURCE, post=post)
    publishing.write(SOURCE + "More.\n", post=post)

    sources = db.session.scalars(select(Revision.source).order_by(Revision.number)).all()
    assert sources == [SOURCE, SOURCE + "More.\n"]


def test_front_matter_errors_name_the_line() -> None:
    factories.newsletter()
    with pytest.raises(publishing.BadSource) as caught:
        publishing.write("---\ntitle: A\ntitel: B\n---\n\nx\n")
    assert caught.value.line == 3
    assert "Did you mean “title”?" in caught.value.sentence


def test_an_unknown_newsletter_is_refused_with_the_nearest_name() -> None:
    factories.newsletter()
    with pytest.raises(publishing.UnknownNewsletter, match="Did you mean “weekly”"):
        publishing.write("---\ntitle: A\nnewsletter: weekli\n---\n\nx\n")


def test_a_body_that_cannot_be_compiled_yet_is_kept_but_not_scheduled() -> None:
    factories.newsletter()
    post = publishing.write("---\ntitle: A\n---\n\n:::card\nnonsense\n")

    assert content.latest_revision(post).source.endswith("nonsense\n")
    with pytest.raises(publishing.NotReady, match="Line 5"):
        publishing.schedule(post, clock.now() + timedelta(hours=1), "UTC")
    assert post.status is PostStatus.DRAFT


def test_the_past_is_refused() -> None:
    post = factories.post()
    with pytest.raises(publishing.InThePast, match="has passed"):
        publishing.schedule(post, clock.now() - timedelta(hours=1), "Europe/Berlin")


def test_without_a_postal_address_nothing_goes_out() -> None:
    newsletter = factories.newsletter(publication=factories.publication(postal_address=" "))
    post = factories.post(newsletter=newsletter)
    with pytest.raises(publishing.NotReady, match="postal address"):
        publishing.schedule(post, clock.now() + timedelta(hours=1), "UTC")


def test_a_scheduled_post_can_be_taken_back_and_not_scheduled_twice() -> None:
    post = factories.post()
    publishing.schedule(post, clock.now() + timedelta(hours=1), "UTC")
    with pytest.raises(NotADraft):
        publishing.schedule(post, clock.now() + timedelta(hours=2), "UTC")

    publishing.unschedule(post)

    assert post.status is PostStatus.DRAFT
    assert post.scheduled_for is None


def test_two_posts_of_one_title_have_two_addresses() -> None:
    factories.newsletter()
    assert [publishing.write(SOURCE).slug for _ in range(2)] == ["on-slow-mail", "on-slow-mail-2"]


def test_a_public_address_never_changes_by_a_new_title() -> None:
    post = factories.post()
    post.status = PostStatus.PUBLISHED
    publishing.write(SOURCE.replace("slow", "fast"), post=post)
    assert (post.title, post.slug) == ("On fast mail", "on-slow-mail")


def test_the_trash_has_a_way_back() -> None:
    post = factories.post()
    publishing.trash(post)
    assert queries.for_desk() == []
    publishing.restore(post)
    assert queries.for_desk() == [post]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("What I’ve been reading (#2): letters", "what-ive-been-reading-2-letters"),
        ("Ünïcode & co.", "unicode-co"),
        ("慢信", "post"),
        ("word " * 40, "-".join(["word"] * 12)),
    ],
)
def test_slugs_are_short_and_plain(title: str, slug: str) -> None:
    assert slugs.from_title(title) == slug


def test_local_times_and_the_clock_change() -> None:
    assert clock.from_local("2026-11-30 09:00", "Europe/Berlin") == datetime(2026, 11, 30, 8, tzinfo=UTC)
    with pytest.raises(clock.NotATime, match="does not exist"):
        clock.from_local("2027-03-28 02:30", "Europe/Berlin")
    for text in ("tomorrow", "2026-11-30", "2026-11-30 "):
        with pytest.raises(clock.NotATime, match="not a time"):
            clock.from_local(text, "Europe/Berlin")


def test_search_on_the_desk_takes_signs_as_they_are() -> None:
    factories.post(title="100 % slow")
    assert [post.title for post in queries.for_desk(words="%")] == ["100 % slow"]
    assert queries.for_desk(words="_") == []
    assert isinstance(queries.for_desk()[0], Post)

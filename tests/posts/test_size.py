"""What becomes of a post that is longer than mail programs show."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

import emails
from newsletter import clock
from newsletter.db import db
from newsletter.posts import preflight, publishing
from newsletter.posts.models import Post
from newsletter.posts.preflight import Size
from newsletter.publication.models import LongMail, Publication
from newsletter.sending import rehearsal, start
from newsletter.sending.models import Variant
from tests import cast, factories
from tests.emails.samples import ADA

pytestmark = pytest.mark.usefixtures("app")

WORDS = "Letters used to be folded by hand, sealed with wax, and carried for days by people who could not read. " * 4


def long_post(front: str = "", sections: int = 30) -> Post:
    body = "\n\n".join(f"## Part {at}\n\n" + "\n\n".join([WORDS] * 10) for at in range(1, sections + 1))
    return factories.post(source=f"---\ntitle: All of it\n{front}---\n\n{body}\n")


def said(post: Post) -> str:
    return " ".join(problem.sentence for problem in preflight.problems(post))


def test_a_long_letter_is_folded_and_the_checks_say_where(app: Flask) -> None:
    post = long_post()
    found = preflight.examine(post)

    assert all(each.fold and each.size <= 95_000 < each.fold.whole_size for each in found.sizes)
    assert found.sizes[0].fold is not None
    assert f"is folded before “{found.sizes[0].fold.begins}”" in said(post)
    assert all(problem.level == "warning" for problem in found.problems)


def test_what_is_sent_is_what_was_checked(app: Flask) -> None:
    post = long_post()
    cast.ada()
    publishing.schedule(post, clock.now() + timedelta(seconds=1), "UTC", accepted=("folded", "no_preheader"))
    post.scheduled_for = clock.now() - timedelta(seconds=1)
    db.session.flush()
    fold = preflight.examine(post).sizes[0].fold

    start.start(post.id)

    letters = [emails.Letter.from_bytes(stored) for stored in db.session.scalars(select(Variant.letter))]
    assert fold is not None
    place = fold.begins.lower().replace(" ", "-")
    for message in (letter.splice(ADA) for letter in letters):
        assert message.replace(b"=\r\n", b"").count(f"/p/all-of-it#{place}".encode()) == 2  # one in each part
        assert len(message) < 200_000


def test_the_preview_is_folded_as_the_mail_is(app: Flask) -> None:
    preview = rehearsal.preview(long_post())

    assert "Continue on the web" in preview.html
    assert "Continue on the web" in preview.text
    assert "Part 30" in preview.web_html
    assert "Continue on the web" not in preview.web_html


def test_an_author_may_leave_long_letters_whole(app: Flask) -> None:
    post = long_post()
    Publication.current().long_mail = LongMail.WHOLE
    db.session.flush()

    assert preflight.examine(post).sizes[0].fold is None
    assert "Gmail will cut it (at 102 kB)" in said(post)


@pytest.mark.parametrize("audience", ["subscribers", "paying"])
def test_what_the_page_does_not_show_to_all_is_never_folded_away(app: Flask, audience: str) -> None:
    post = long_post(f"audience: {audience}\n")

    assert preflight.examine(post).sizes[0].fold is None
    assert "It is not folded, since its page does not show all of it to everyone." in said(post)


def test_the_size_is_said_for_each_kind_of_reader_only_where_it_differs() -> None:
    free, paying = emails.Audience.FREE, emails.Audience.PAYING

    assert preflight.size_in_words([Size(free, 61_000, None), Size(paying, 60_900, None)]) == (
        "The mail has 61 kB of the 102 kB that Gmail shows."
    )
    assert preflight.size_in_words([Size(free, 61_000, None), Size(paying, 58_100, None)]) == (
        "The mail has 61 kB of the 102 kB that Gmail shows, for free readers; 59 kB for paying readers."
    )

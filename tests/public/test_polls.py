"""A question in a post: links that vote for nothing by themselves, one vote from each place, nobody's name."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

import emails
from emails.elements import Poll
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.posts.models import PollVote, Post
from newsletter.publication.models import Newsletter
from tests.public.posts import published
from tests.public.steps import tree

QUESTION = ":::poll Where do you read?\n- At the table\n- In bed\n:::\n"


@pytest.fixture
def asked(weekly: Newsletter) -> Post:
    return published("A question", body=QUESTION)


def poll_of(markdown: str = QUESTION) -> Poll:
    (poll,) = emails.parse(markdown).blocks
    assert isinstance(poll, Poll)
    return poll


def address(post: Post, answer: int | str, poll: Poll | None = None) -> str:
    return f"/p/{post.slug}/poll/{(poll or poll_of()).key}/{answer}"


def votes() -> int:
    return db.session.scalar(select(func.count()).select_from(PollVote)) or 0


def test_opening_the_link_of_an_answer_votes_for_nothing(client: FlaskClient, asked: Post) -> None:
    page = client.get(address(asked, 2))

    assert tree(page.text).xpath("string(//input[@checked]/@value)") == "2"
    assert client.head(address(asked, 2)).status_code == 200
    assert votes() == 0
    assert "Set-Cookie" not in page.headers


def test_a_vote_is_counted_and_can_be_changed(client: FlaskClient, asked: Post) -> None:
    answer = client.post(address(asked, 2), data={"answer": "2"})
    assert answer.status_code == 303
    assert "100 %, 1" in client.get(answer.headers["Location"]).text

    client.post(address(asked, 2), data={"answer": "1"})
    assert votes() == 1
    assert "Set-Cookie" not in answer.headers
    client.post(address(asked, 1), data={"answer": "1"}, headers={"User-Agent": "another"})
    assert "2 votes so far" in client.get(answer.headers["Location"]).text


def test_who_voted_is_not_kept(client: FlaskClient, asked: Post) -> None:
    client.post(address(asked, 1), data={"answer": "1"}, headers={"User-Agent": "Very Special Browser"})
    vote = db.session.scalars(select(PollVote)).one()
    assert "Special" not in vote.voter
    assert "127" not in vote.voter[:3]
    assert len(vote.voter) == 64


@pytest.mark.parametrize("answer", ["0", "3", "-1", "x", "99999999999999999999"])
def test_an_answer_that_was_not_offered_is_refused(client: FlaskClient, asked: Post, answer: str) -> None:
    refused = client.post(address(asked, 0), data={"answer": answer})
    assert refused.status_code == 400
    assert "Choose one of the answers." in refused.text
    assert votes() == 0


def test_a_letter_that_left_asks_as_it_did_although_the_post_was_changed(client: FlaskClient, asked: Post) -> None:
    old = poll_of()
    publishing.write("---\ntitle: A question\n---\n\n:::poll Where?\n- Here\n- There\n:::\n", post=asked)
    db.session.commit()

    assert "At the table" in client.get(address(asked, 1, old)).text
    assert client.post(address(asked, 1, old), data={"answer": "1"}).status_code == 303


def test_what_was_not_asked_is_not_there(client: FlaskClient, asked: Post) -> None:
    for path in (f"/p/{asked.slug}/poll/0123456789ab/1", f"/p/none/poll/{poll_of().key}/1"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"answer": "1"}).status_code == 404


def test_a_draft_asks_nobody(client: FlaskClient, weekly: Newsletter) -> None:
    draft = publishing.write(f"---\ntitle: Not yet\n---\n\n{QUESTION}")
    db.session.commit()
    assert client.get(address(draft, 1)).status_code == 404

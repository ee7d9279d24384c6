"""A post with a paywall line: its beginning is for everybody, what follows for those who may read on."""

import json

import pytest
from flask.testing import FlaskClient

import emails
from newsletter.posts import content
from newsletter.posts.models import PostAudience
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import rehearsal, start
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from tests import factories
from tests.public.posts import published
from tests.public.steps import tree

OPEN, SECRET = "the-open-words", "the-secret-words"
BODY = f"""The opening has {OPEN}.[^1]

:::only paying
{SECRET} in a box
:::

:::paywall

## A heading with {SECRET}

And {SECRET}, ![{SECRET}](https://a.example/{SECRET}.png) again.[^2]

[^1]: A note.
[^2]: A note with {SECRET}.
"""


@pytest.mark.parametrize("audience", [PostAudience.PAYING, PostAudience.SUBSCRIBERS, PostAudience.EVERYONE])
def test_a_visitor_gets_the_beginning_and_nothing_behind_the_line(
    client: FlaskClient, weekly: Newsletter, audience: PostAudience
) -> None:
    post = published("Walled", body=BODY, audience=audience)

    page = client.get(f"/p/{post.slug}")
    assert OPEN in page.text
    assert tree(page.text).xpath("//div[@class='paywall']/div")
    for path in (f"/p/{post.slug}", "/", "/archive", "/feed.xml", "/sitemap.xml", f"/p/{post.slug}/share"):
        assert SECRET not in client.get(path).text

    data = json.loads(tree(page.text).xpath("string(//script[@type='application/ld+json'])"))
    assert data["isAccessibleForFree"] is (audience is PostAudience.EVERYONE)


def test_whoever_goes_from_the_line_to_what_it_costs_is_known_to_come_from_there(
    client: FlaskClient, weekly: Newsletter
) -> None:
    catalogue.add(Publication.current(), Listing("Patrons"))
    post = published("Walled", body=BODY, audience=PostAudience.PAYING)

    there = f"/support?post={post.slug}"
    assert there in client.get(f"/p/{post.slug}").text
    assert there in rehearsal.preview(post, emails.Audience.FREE).html
    assert there not in rehearsal.preview(post, emails.Audience.PAYING).html


def test_a_line_at_the_top_leaves_nothing_to_describe_the_post_by(client: FlaskClient, weekly: Newsletter) -> None:
    post = published("All walled", body=f":::paywall\n\nOnly {SECRET}.", audience=PostAudience.PAYING)
    for path in (f"/p/{post.slug}", "/", "/feed.xml"):
        assert SECRET not in client.get(path).text


def test_the_preview_goes_to_all_readers_and_a_post_without_one_to_those_who_pay(weekly: Newsletter) -> None:
    factories.subscriber("ada@example.com", on=[weekly])
    walled = published("Walled", body=BODY, audience=PostAudience.PAYING)
    closed = published("Closed", body="Words.", audience=PostAudience.PAYING)

    assert content.has_preview(walled)
    assert start.count_audience(walled) == 1
    assert start.count_audience(closed) == 0

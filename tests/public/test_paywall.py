"""Who reads how much of a post: on its page, in the lists, and in the letter."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter import clock
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.posts.models import Post
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import start
from newsletter.subscribers import erasure
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Tier
from tests import factories
from tests.doubles import JobQueue, Outbox, text_of
from tests.public.account_steps import press, sign_in
from tests.public.posts import published

OPEN, SECRET = "the-open-words", "the-secret-words"
BODY = f"{OPEN}\n\n:::paywall\n\n{SECRET}"
KINDS = ("stranger", "free", "friend", "patron", "ended", "left", "pending")


@pytest.fixture
def patrons(weekly: Newsletter) -> Tier:
    """Beside them there are friends; both cost something."""
    prices = {(Cadence.MONTH, "EUR"): 500}
    catalogue.add(Publication.current(), Listing(name="Friends", prices=prices))
    made = catalogue.add(Publication.current(), Listing(name="Patrons", prices=prices))
    db.session.commit()
    return made


@pytest.fixture
def browsers(app: Flask, patrons: Tier, outbox: Outbox) -> dict[str, FlaskClient]:
    """One for each kind of person, signed in where they can be."""
    friends = Tier.by_slug("friends") or pytest.fail("no friends")
    factories.subscriber("free@example.com")
    factories.member(factories.subscriber("friend@example.com"), tier=friends)
    factories.member(factories.subscriber("patron@example.com", on=[]), tier=patrons)
    over = clock.now() - timedelta(minutes=1)
    factories.member(factories.subscriber("ended@example.com"), tier=patrons, ends_at=over)
    left = factories.subscriber("left@example.com")
    left.subscriptions[0].left_at = over
    factories.subscriber("pending@example.com", confirmed_at=None)
    db.session.commit()
    made = {kind: app.test_client() for kind in KINDS}
    for kind in KINDS:
        if kind not in {"stranger", "pending"}:
            sign_in(made[kind], outbox, f"{kind}@example.com")
    return made


def who_reads(post: Post, browsers: dict[str, FlaskClient]) -> set[str]:
    pages = {kind: browser.get(f"/p/{post.slug}") for kind, browser in browsers.items()}
    assert all(page.status_code == 200 for page in pages.values())
    return {kind for kind, page in pages.items() if SECRET in page.text}


def test_a_post_for_chosen_tiers_is_read_by_their_holders_alone(browsers: dict[str, FlaskClient]) -> None:
    post = published("For patrons", body=BODY, tiers="patrons")

    assert who_reads(post, browsers) == {"patron"}
    for page in (browser.get("/p/for-patrons").text for browser in browsers.values()):
        assert OPEN in page
    said = browsers["friend"].get("/p/for-patrons").text
    assert "The rest of this post is for Patrons." in said
    assert "Switch in your account" in said
    assert "Support Slow Letters" in browsers["free"].get("/p/for-patrons").text
    assert "Sign in" in browsers["stranger"].get("/p/for-patrons").text
    assert "Sign in" not in browsers["patron"].get("/p/for-patrons").text


def test_a_post_for_who_pays_is_read_by_them_now_and_not_when_it_is_over(browsers: dict[str, FlaskClient]) -> None:
    assert who_reads(published("Paid", body=BODY, audience="paying"), browsers) == {"patron", "friend"}


def test_a_post_for_subscribers_is_read_by_who_is_on_the_list_or_pays(browsers: dict[str, FlaskClient]) -> None:
    post = published("Signed", body=BODY, audience="subscribers")

    assert who_reads(post, browsers) == {"free", "friend", "patron", "ended"}


def test_a_post_without_a_beginning_says_whose_it_is(browsers: dict[str, FlaskClient]) -> None:
    published("Closed", body=SECRET, tiers="[patrons, friends]")

    assert "This issue is for Friends and Patrons." in browsers["free"].get("/p/closed").text
    assert SECRET in browsers["friend"].get("/p/closed").text


def test_lists_say_what_is_closed_to_who_looks(browsers: dict[str, FlaskClient]) -> None:
    published("Paid", body=BODY, audience="paying")

    for path in ("/", "/archive"):
        assert "For paying readers" in browsers["free"].get(path).text
        assert "For paying readers" not in browsers["patron"].get(path).text
        assert SECRET not in browsers["patron"].get(path).text  # lists are no place for it


def test_what_is_said_of_a_post_elsewhere_is_made_for_strangers_whoever_looks(
    browsers: dict[str, FlaskClient],
) -> None:
    published("Paid", body=f":::paywall\n\n{SECRET}", audience="paying")

    page = browsers["patron"].get("/p/paid").text

    head = page.split("</head>")[0]
    assert SECRET in page
    assert SECRET not in head
    assert '"cssSelector": ".paywall, .wall"' in head


def test_no_cache_keeps_what_was_made_for_somebody(browsers: dict[str, FlaskClient]) -> None:
    published("Paid", body=BODY, audience="paying")
    stranger = browsers["stranger"].get("/p/paid")
    patron = browsers["patron"].get("/p/paid")

    assert stranger.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert patron.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in stranger.headers["Vary"]
    assert stranger.headers["ETag"] != patron.headers["ETag"]
    again = browsers["stranger"].get("/p/paid", headers={"If-None-Match": patron.headers["ETag"]})
    assert SECRET not in again.text


def test_each_kind_of_reader_gets_the_letter_that_is_theirs(
    patrons: Tier, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    friends = Tier.by_slug("friends") or pytest.fail("no friends")
    factories.subscriber("free@example.com")
    factories.member(factories.subscriber("friend@example.com"), tier=friends)
    factories.member(factories.subscriber("patron@example.com"), tier=patrons)
    post = factories.post(source=f"---\ntitle: For patrons\nsubtitle: A letter\ntiers: patrons\n---\n\n{BODY}\n")
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()

    jobs_queue.run()

    got = {str(outbox[at]["To"]): text_of(outbox[at]) for at in range(len(outbox))}
    assert {address.partition("@")[0] for address, words in got.items() if SECRET in words} == {"patron"}
    assert "/account" in got["friend@example.com"]
    assert "The rest of this post is for Patrons." in got["free@example.com"]
    assert all(OPEN in words for words in got.values())


def test_who_upgrades_while_it_is_being_sent_gets_all_of_it(
    patrons: Tier, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    reader = factories.subscriber("ada@example.com")
    post = factories.post(source=f"---\ntitle: For patrons\nsubtitle: A letter\ntiers: patrons\n---\n\n{BODY}\n")
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()
    assert start.start(post.id)
    factories.member(db.session.get_one(Subscriber, reader.id), tier=patrons)
    db.session.commit()

    jobs_queue.run()

    assert SECRET in text_of(outbox[0])


def test_a_post_without_a_beginning_goes_to_the_holders_alone(
    patrons: Tier, weekly: Newsletter, jobs_queue: JobQueue, outbox: Outbox
) -> None:
    factories.member(factories.subscriber("friend@example.com"), tier=Tier.by_slug("friends"))
    factories.member(factories.subscriber("patron@example.com"), tier=patrons)
    post = factories.post(source=f"---\ntitle: Closed\nsubtitle: A letter\ntiers: patrons\n---\n\n{SECRET}\n")
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()

    jobs_queue.run()

    assert [str(outbox[at]["To"]) for at in range(len(outbox))] == ["patron@example.com"]


def test_a_tier_that_is_not_there_is_refused_by_name(patrons: Tier) -> None:
    with pytest.raises(publishing.UnknownTier, match="There are: friends, patrons"):
        factories.post(source="---\ntitle: Whose\ntiers: patron\n---\n\nWords.\n")
    with pytest.raises(publishing.BadSource, match="the audience is “paying”"):
        factories.post(source="---\ntitle: Whose\ntiers: patrons\naudience: everyone\n---\n\nWords.\n")


def test_each_reader_has_a_feed_of_their_own_as_long_as_they_want_it(browsers: dict[str, FlaskClient]) -> None:
    published("Paid", body=BODY, audience="paying")
    published("For patrons", body=BODY, tiers="patrons")

    def feed_of(kind: str) -> str:
        said = press(browsers[kind], "/account/feed")
        found = re.search(r'value="http://letters\.example\.org(/feed/\w+\.xml)"', said)
        assert found, said
        return found[1]

    addresses = {kind: feed_of(kind) for kind in ("free", "friend", "patron", "ended")}
    anybody = browsers["stranger"]
    read = {kind: anybody.get(address).text.count(SECRET) for kind, address in addresses.items()}

    assert read == {"free": 0, "friend": 1, "patron": 2, "ended": 0}
    assert SECRET not in browsers["patron"].get("/feed.xml").text  # that one is everybody's, and caches keep it
    assert f"http://letters.example.org{addresses['patron']}" in anybody.get(addresses["patron"]).text

    again = feed_of("patron")
    assert anybody.get(addresses["patron"]).status_code == 404
    assert SECRET in anybody.get(again).text
    press(browsers["patron"], "/account/feed/off")
    assert anybody.get(again).status_code == 404
    friend = Subscriber.by_key("friend@example.com")
    assert friend
    erasure.forget(friend)
    db.session.commit()
    assert anybody.get(addresses["friend"]).status_code == 404

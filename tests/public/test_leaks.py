"""Nothing from behind a paywall is anywhere but where it may be: every address is walked, as every kind of reader.

A new route is walked without anybody thinking of it; one whose address cannot be filled in fails by name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from itertools import product
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

import emails
from newsletter import clock, links
from newsletter.db import db
from newsletter.links import Purpose
from newsletter.posts import publishing
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.models import Newsletter, Publication
from newsletter.subscribers import private_feed, rights
from newsletter.subscribers.models import Subscriber
from newsletter.tiers import access, catalogue
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.models import Cadence, Tier
from tests import factories
from tests.doubles import JobQueue, Outbox
from tests.public.account_steps import sign_in

# Every place in a post where words can stand; {secret} is told apart by where it stands.
BODY = """The beginning has {open}.

:::only paying
{secret}only
:::

:::paywall

## {secret}heading

{secret}words, *{secret}emphasis*, `{secret}code`, [{secret}link](https://python.org/{secret}address),
{{name|{secret}name}}, $x_{{{secret}formula}}$ and a note.[^1]

![{secret}alt](https://python.org/{secret}picture.png "{secret}caption")

> {secret}quote

- {secret}item

| {secret}head |
|---|
| {secret}cell |

```python
{secret}block
```

:::note {secret}title
{secret}callout
:::

:::toggle {secret}toggle
{secret}toggled
:::

:::button [{secret}button](https://python.org/{secret}there)

:::poll {secret}question
- {secret}answer
- Another
:::

:::pullquote
{secret}pulled
:::

:::sponsor {secret}sponsor
{secret}sponsored
:::

:::card
title: {secret}card
url: https://python.org/{secret}carded
excerpt: {secret}excerpt
:::

:::html
<p>{secret}html</p>
:::

[^1]: {secret}note
"""
CLOSED = "{secret}first words\n\n" + BODY.replace(":::paywall", "").replace("{open}", "{secret}beginning")
KINDS = ("stranger", "pending", "left", "erased", "free", "ended", "friend", "patron")
ON_THE_LIST = {"free", "ended", "friend", "patron"}
SKIPPED = {"static", "admin.static"}  # files of ours, the same for everybody


@dataclass
class House:
    app: Flask
    posts: dict[str, set[str]] = field(default_factory=dict)  # the secret of a post, and who may read it
    browsers: dict[str, FlaskClient] = field(default_factory=dict)
    tokens: dict[str, list[str]] = field(default_factory=dict)

    def leaks(self) -> list[str]:
        return [
            f"{kind} finds {secret} at {path}"
            for kind in KINDS
            for path, answer in self.walk(kind)
            for secret in self.found_in(answer)
            if kind not in self.posts[secret]
        ]

    def found_in(self, words: str) -> list[str]:
        """However it is written: escaped for HTML, for an address, or for a script."""
        plain = unquote(unescape(unescape(words))).lower()
        return [secret for secret in self.posts if secret in plain]

    def walk(self, kind: str) -> Iterator[tuple[str, str]]:
        for rule in self.app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and rule.endpoint not in SKIPPED:
                for path in self.addresses(rule, kind):
                    answer = self.browsers[kind].get(path)
                    yield path, f"{answer.headers}\n{answer.get_data(as_text=True)}"

    def addresses(self, rule: Rule, kind: str) -> Iterator[str]:
        """The rule with everything filled in that this kind of reader could have."""
        slugs = list(db.session.scalars(db.select(Post.slug)))
        known: dict[str, list[object]] = {
            "slug": [*slugs],
            "token": [*self.tokens[kind]],
            "key": ["none"],  # of a poll: who has not seen its question does not know it
            "name": ["none.png"],
            "view": ["mail", "text", "page", "web"],
            "number": [1, 2],
            "answer": [1],
            "provider": ["stripe"],
            "list_id": [1],
            "kind": ["accepted"],
            "code": ["none"],
        }
        given = {name: known.get(name, [1, 4] if name.endswith("_id") else []) for name in rule.arguments}
        assert all(given.values()), f"{rule.rule}: say in tests/public/test_leaks.py what stands for {set(given)}"
        for values in product(*given.values()):
            made = rule.build(dict(zip(given, values, strict=True)))
            assert made
            yield made[1]


# What a key names beside its reader: a newsletter, a notice, the number of a feed.
_MORE = {
    **dict.fromkeys((Purpose.LEAVE, Purpose.UNDO_LEAVE), (1, 1)),
    **dict.fromkeys((Purpose.CONFIRM, Purpose.REFUSE, Purpose.UNDO_ADDRESS, Purpose.BOUNCE, Purpose.FEED), (1,)),
}


def write(slug: str, secret: str, body: str, **front: str) -> None:
    lines = [f"title: Post {slug}", f"slug: {slug}", "subtitle: A letter", *(f"{k}: {v}" for k, v in front.items())]
    words = body.format(secret=secret, open="the beginning")
    post = factories.post(source="---\n" + "\n".join(lines) + f"\n---\n\n{words}\n")
    post.status, post.published_at = PostStatus.PUBLISHED, clock.now()


@pytest.fixture
def house(app: Flask, weekly: Newsletter, outbox: Outbox) -> House:
    prices = {(Cadence.MONTH, "EUR"): 500}
    friends, patrons = (
        catalogue.add(Publication.current(), Listing(name=n, prices=prices)) for n in ("Friends", "Patrons")
    )
    db.session.flush()
    made = House(app)
    people(made, friends, patrons)
    payers = {"friend", "patron"}
    for slug, secret, readers, front in (
        ("signed-up", "zqsigned", ON_THE_LIST, {"audience": "subscribers"}),
        ("paid", "zqpaid", payers, {"audience": "paying"}),
        ("for-patrons", "zqpatrons", {"patron"}, {"tiers": "patrons"}),
    ):
        write(slug, secret, BODY, **front)
        write(f"{slug}-closed", f"{secret}closed", CLOSED, **front)
        made.posts |= {f"{secret}{part}": readers for part in ("heading", "words", "alt", "note", "question")}
        made.posts |= {f"{secret}closed": readers, f"{secret}only": readers & payers}
    made.posts |= {secret.removesuffix("words"): readers for secret, readers in made.posts.items() if "words" in secret}
    db.session.commit()
    for kind in KINDS:
        made.browsers[kind] = app.test_client()
        if kind in {*ON_THE_LIST, "left"}:
            sign_in(made.browsers[kind], outbox, f"{kind}@example.com")
    return made


def people(made: House, friends: Tier, patrons: Tier) -> None:
    over = clock.now() - timedelta(minutes=1)
    readers = {kind: factories.subscriber(f"{kind}@example.com") for kind in KINDS if kind != "stranger"}
    readers["pending"].confirmed_at = None
    readers["left"].subscriptions[0].left_at = over
    factories.member(readers["ended"], tier=patrons, ends_at=over)
    factories.member(readers["friend"], tier=friends)
    factories.member(readers["patron"], tier=patrons)
    made.tokens = {"stranger": ["x"]} | {kind: list(tokens_of(reader)) for kind, reader in readers.items()}
    readers["erased"].email = readers["erased"].email_key = None


def tokens_of(reader: Subscriber) -> Iterator[str]:
    """A key of every kind, as the reader has them in letters."""
    private_feed.make(reader)
    for purpose in Purpose:
        yield links.sign(purpose, reader.id, *_MORE.get(purpose, ()))


def test_nothing_is_found_by_who_may_not_read_it(house: House) -> None:
    assert house.leaks() == []


def test_what_may_be_read_is_there_to_be_found(house: House) -> None:
    """Else the walk would prove nothing."""
    found = {kind: {each for _, answer in house.walk(kind) for each in house.found_in(answer)} for kind in KINDS}

    for secret, readers in house.posts.items():
        assert {kind for kind in KINDS if secret in found[kind]} == readers, secret


@pytest.mark.parametrize("hole", ["everybody pays", "tiers are forgotten"])
def test_a_hole_in_the_rule_is_found(house: House, monkeypatch: pytest.MonkeyPatch, hole: str) -> None:
    match hole:
        case "everybody pays":
            monkeypatch.setattr(rights, "kind_of", lambda *_: emails.Audience.PAYING)
        case "tiers are forgotten":
            real = access.kind_of
            monkeypatch.setattr(access, "kind_of", lambda held, _: real(held, ()))

    assert house.leaks()


def test_no_letter_holds_what_its_reader_may_not_read(house: House, outbox: Outbox, jobs_queue: JobQueue) -> None:
    outbox.received.clear()
    for post in db.session.scalars(db.select(Post)).all():
        post.status, post.published_at = PostStatus.DRAFT, None
        publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()

    jobs_queue.run()

    seen: dict[str, set[str]] = {}
    for at in range(len(outbox)):
        message = outbox[at]
        kind = str(message["To"]).partition("@")[0].partition("<")[0].strip()
        parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
        found = house.found_in("\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts]))
        assert {secret for secret in found if kind not in house.posts[secret]} == set(), kind
        seen.setdefault(kind, set()).update(found)
    assert set(house.posts) - seen["patron"] == set()
    assert re.fullmatch("free|ended|friend|patron", min(seen))

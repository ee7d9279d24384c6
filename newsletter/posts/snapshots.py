"""Snapshots of the pages that posts link to: wanted when a post is saved, read by a job, shown as cards.

What was read is ours: words, picture and logo. A page that changes, breaks or vanishes takes nothing from a card, and
readers' programs never ask its server.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

import emails
from newsletter import clock, storage
from newsletter.db import db
from newsletter.errors import NotFound
from newsletter.fetching import LONGEST_ADDRESS, Fetcher, NotFetched
from newsletter.jobs import Job, enqueue
from newsletter.posts import unfurling
from newsletter.posts.models import LinkSnapshot, Media, Post, SnapshotState
from newsletter.posts.unfurling import Found

MOST_IN_A_POST: Final = 50  # further addresses stay links
PAUSES: Final = (timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=3), timedelta(hours=24))
LEASE: Final = timedelta(minutes=3)  # who reads a page and is not back by then has died
PAGES: Final = ("text/html", "application/xhtml+xml")
IMAGE_FITS: Final = (1104, 1104)  # twice what a letter shows
LOGO_FITS: Final = (80, 80)
NARROWEST_IMAGE: Final = 300  # pixels; what is smaller, or no wider than high, is a face or a logo
WIDTH_TO_HEIGHT: Final = (1.2, 4.0)

fetcher = Fetcher("reads a page to show a card of it")  # tests put another one in its place


def want(post: Post, source: str) -> None:
    """Ask for every page that stands alone in a post's text and was not read yet. Tells the job."""
    urls = _lonely_urls(source)
    # A saved text may have held half an address: what was never read and is not there any more was never meant.
    half = delete(LinkSnapshot).where(LinkSnapshot.post_id == post.id, LinkSnapshot.fetched_at.is_(None))
    db.session.execute(half.where(LinkSnapshot.url.not_in(urls)))
    if not urls:
        return
    rows = [{"publication_id": post.publication_id, "url": url, "post_id": post.id} for url in urls]
    blank = {"title": "", "publication": "", "excerpt": "", "author": "", "trouble": "", "tries": 0}
    new = insert(LinkSnapshot).values([{**row, **blank, "state": SnapshotState.WANTED} for row in rows])
    same = new.on_conflict_do_update(
        index_elements=[LinkSnapshot.publication_id, LinkSnapshot.url],
        set_={"post_id": post.id},
        where=LinkSnapshot.fetched_at.is_(None),
    )
    db.session.execute(same)
    fresh = select(LinkSnapshot.id).where(LinkSnapshot.post_id == post.id, LinkSnapshot.tries == 0, _is_due())
    for snapshot_id in db.session.scalars(fresh):
        enqueue(Job.READ_LINK, snapshot_id)


def due() -> Sequence[int]:
    """Those whose time has come, and those that a dead process left."""
    query = select(LinkSnapshot.id).where(_is_due()).order_by(LinkSnapshot.next_try_at)
    return db.session.scalars(query.limit(100)).all()


def claim(snapshot_id: int) -> bool:
    """Whether it is ours to read now. To be committed before `read`: the lease keeps others off.

    One that has ended whoever read it, each time, is given up: there is no other word of it than that nobody came back.
    """
    given_up = (
        update(LinkSnapshot)
        .where(LinkSnapshot.id == snapshot_id, _is_due(), LinkSnapshot.tries > len(PAUSES))
        .values(
            state=case((LinkSnapshot.fetched_at.is_not(None), SnapshotState.READ), else_=SnapshotState.FAILED),
            trouble="reading it failed each time",
            next_try_at=None,
        )
        .returning(LinkSnapshot.id)
    )
    if db.session.scalar(given_up) is not None:
        return False
    mine = (
        update(LinkSnapshot)
        .where(LinkSnapshot.id == snapshot_id, _is_due())
        .values(next_try_at=clock.now() + LEASE, tries=LinkSnapshot.tries + 1)
        .returning(LinkSnapshot.id)
    )
    return db.session.scalar(mine) is not None


def read(snapshot_id: int) -> None:
    """Fetch the page and keep what it says; or note why not, and when to try again. Only after `claim`."""
    url = db.session.scalar(select(LinkSnapshot.url).where(LinkSnapshot.id == snapshot_id))
    db.session.commit()  # no transaction stays open while a stranger's server takes its time
    if url is None:
        return
    page: _Page | NotFetched
    try:
        page = _fetched(url)
    except NotFetched as trouble:
        page = trouble
    snapshot = db.session.get(LinkSnapshot, snapshot_id, with_for_update={"of": LinkSnapshot})
    if snapshot is None:
        return  # the author has meanwhile taken the address out of the text
    if isinstance(page, NotFetched):
        _failed(snapshot, page)
    else:
        _keep(snapshot, page)


def read_again(snapshot: LinkSnapshot) -> None:
    """Somebody asks for it. Until it is read, the card is what it was."""
    snapshot.state, snapshot.tries, snapshot.next_try_at = SnapshotState.WANTED, 0, clock.now()
    db.session.flush()
    enqueue(Job.READ_LINK, snapshot.id)


def of_post(post: Post, source: str) -> list[LinkSnapshot]:
    """The snapshots of a text's lonely addresses, in the order of the text."""
    urls = _lonely_urls(source)
    found = _by_url(post.publication_id, urls)
    return [found[url] for url in urls if url in found]


def find(post: Post, snapshot_id: int) -> LinkSnapshot:
    """Raises NotFound."""
    snapshot = db.session.get(LinkSnapshot, snapshot_id)
    if snapshot is None or snapshot.publication_id != post.publication_id:
        raise NotFound("There is no such link.")
    return snapshot


def shown(document: emails.Document, publication_id: int) -> emails.Document:
    """The tree with cards in place of the addresses that were read."""
    lonely = set(emails.lonely_links(document).values())
    if not lonely:
        return document
    snapshots = _by_url(publication_id, list(lonely)).values()
    return emails.with_cards(document, {each.url: card(each) for each in snapshots if each.has_card})


def card(snapshot: LinkSnapshot) -> emails.Card:
    image, logo = snapshot.image, snapshot.logo
    return emails.Card(
        title=snapshot.title,
        url=snapshot.url,
        publication=snapshot.publication,
        excerpt=snapshot.excerpt,
        author=snapshot.author,
        date=snapshot.dated,
        logo=_address(logo) if logo else None,
        image=_address(image) if image else None,
        width=image.width if image else 0,
        height=image.height if image else 0,
    )


def written_out(snapshot: LinkSnapshot, source: str) -> str:
    """The source with the card in place of the lines that hold nothing but its address."""
    parts = emails.read_post(source)
    lines = source.split("\n")
    for number, url in emails.lonely_links(emails.parse(parts.body)).items():
        at = parts.body_line - 1 + number - 1
        line = lines[at]
        if snapshot.has_card and url == snapshot.url == line.strip():
            indent = line[: len(line) - len(line.lstrip())]
            lines[at] = textwrap.indent(emails.write_card(card(snapshot)), indent)
    return "\n".join(lines)


def _address(media: Media) -> str:
    return storage.url(media.file_name)


def _lonely_urls(source: str) -> list[str]:
    """Of a text that can be read; each once."""
    try:
        parts = emails.read_post(source)
        lonely = emails.lonely_links(emails.parse(parts.body, parts.body_line))
    except emails.LetterError:
        return []
    urls = [url for url in dict.fromkeys(lonely.values()) if len(url) <= LONGEST_ADDRESS]  # others are not asked
    return urls[:MOST_IN_A_POST]


def _by_url(publication_id: int, urls: list[str]) -> dict[str, LinkSnapshot]:
    query = select(LinkSnapshot).where(LinkSnapshot.publication_id == publication_id, LinkSnapshot.url.in_(urls))
    return {each.url: each for each in db.session.scalars(query)}


def _is_due() -> ColumnElement[bool]:
    return and_(LinkSnapshot.state == SnapshotState.WANTED, LinkSnapshot.next_try_at <= clock.now())


@dataclass(frozen=True)
class _Page:
    found: Found
    image: bytes  # as they came; empty: none
    logo: bytes


def _keep(snapshot: LinkSnapshot, page: _Page) -> None:
    """A picture that cannot be had any more is kept as it was."""
    found = page.found
    snapshot.title, snapshot.publication, snapshot.excerpt = found.title, found.publication, found.excerpt
    snapshot.author, snapshot.dated = found.author, found.date
    image = _kept(page.image, snapshot.publication_id, IMAGE_FITS)
    logo = _kept(page.logo, snapshot.publication_id, LOGO_FITS)
    if image and not _is_wide(image):
        image, logo = None, logo or _kept(page.image, snapshot.publication_id, LOGO_FITS)
    snapshot.image, snapshot.logo = image or snapshot.image, logo or snapshot.logo
    snapshot.state, snapshot.trouble, snapshot.next_try_at = SnapshotState.READ, "", None
    snapshot.fetched_at, snapshot.tries = clock.now(), 0


def _fetched(url: str) -> _Page:
    """What a page says, its picture and its logo. Raises NotFetched."""
    asks_house = bool(unfurling.oembed_of(url))
    try:
        page = fetcher.get(url, PAGES)
        found = unfurling.read(page.content, page.url, page.charset)
    except NotFetched:
        if not asks_house:
            raise
        found = Found(oembed=unfurling.oembed_of(url))
    if found.oembed and (asks_house or not (found.author and found.image)):
        said = _oembed(found.oembed)
        found = said.filled(found) if asks_house else found.filled(said)
    if not found.title:
        raise NotFetched("it says nothing about itself")
    return _Page(found, _picture(found.image), _picture(found.logo))


def _oembed(url: str) -> Found:
    try:
        return unfurling.read_oembed(fetcher.get(url, ("application/json", "text/json")).content, url)
    except NotFetched:
        return Found()


def _picture(url: str) -> bytes:
    """Empty if there is none: a card does without."""
    try:
        return fetcher.get(url, ("image/",)).content if url else b""
    except NotFetched:
        return b""


def _kept(content: bytes, publication_id: int, fit: tuple[int, int]) -> Media | None:
    """Drawn anew by us. What is no picture, or too large, is none."""
    if not content:
        return None
    from newsletter.posts import pictures  # and with it Pillow, of which who only reads letters needs nothing

    try:
        return pictures.add_for_card(content, publication_id=publication_id, fit=fit)
    except pictures.NotAPicture:
        return None


def _is_wide(media: Media) -> bool:
    least, most = WIDTH_TO_HEIGHT
    return media.width >= NARROWEST_IMAGE and least <= media.width / media.height <= most


def _failed(snapshot: LinkSnapshot, trouble: NotFetched) -> None:
    snapshot.trouble = trouble.sentence
    if trouble.for_good or snapshot.tries > len(PAUSES):
        snapshot.state = SnapshotState.READ if snapshot.has_card else SnapshotState.FAILED
        snapshot.next_try_at = None
    else:
        snapshot.next_try_at = clock.now() + PAUSES[snapshot.tries - 1]

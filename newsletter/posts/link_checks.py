"""Whether the links of a post lead somewhere. Asked in the background, kept for a day, and asked again on request."""

import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

import emails
from newsletter import clock
from newsletter.config import settings
from newsletter.db import db
from newsletter.fetching import LONGEST_ADDRESS, Fetcher, NoSuchSite, NotFetched
from newsletter.jobs import Job, enqueue
from newsletter.posts import content
from newsletter.posts.models import LinkCheck, LinkState, Post

FRESH = timedelta(days=1)
AT_ONCE = 6  # hosts asked at the same time; each of them is asked one question after the other
MOST = 200  # links of one post
PATIENCE = 90.0  # seconds for all of them; what is left by then is asked the next time
_GONE = frozenset({404, 410})

fetcher = Fetcher("checks the links of a post")  # tests put another one in its place


@dataclass(frozen=True)
class Result:
    state: LinkState
    status: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the links of a post are checked."""

    total: int
    checked: int
    at: datetime | None  # of the oldest answer


def ask(post: Post, *, again: bool = False) -> None:
    """Have the links checked that are not yet, or all of them again."""
    urls = _urls_of(post)
    if again and urls:
        db.session.execute(delete(LinkCheck).where(LinkCheck.url.in_(urls)))
    if again or _due(urls):
        enqueue(Job.CHECK_POST, post.id)


def check(post_id: int) -> None:
    """Ask what is due of a post's links. Safe to run twice, or twice at once: the last answer counts."""
    post = db.session.get(Post, post_id)
    urls = _due(_urls_of(post)) if post else []
    db.session.rollback()  # nobody waits for the database while we wait for other people's servers
    for url, result in _believed(_asked(urls)):
        row = {"url": url, "state": result.state, "status": result.status, "words": result.words, "at": clock.now()}
        db.session.execute(insert(LinkCheck).values(row).on_conflict_do_update(index_elements=["url"], set_=row))


def known(urls: Collection[str]) -> dict[str, LinkCheck]:
    if not urls:
        return {}
    return {check.url: check for check in db.session.scalars(select(LinkCheck).where(LinkCheck.url.in_(urls)))}


def progress(post: Post) -> Progress:
    urls = _urls_of(post)
    checks = known(urls)
    return Progress(len(urls), len(checks), min((check.at for check in checks.values()), default=None))


def askable(links: Iterable[emails.Reference]) -> list[str]:
    """Addresses of other sites, each once: our own pages are not there before the post is, and mail has no page."""
    own = emails.host_of(settings().site_url)
    wanted = (
        link.url
        for link in links
        if link.url.lower().startswith("http") and link.host != own and len(link.url) <= LONGEST_ADDRESS
    )
    return list(dict.fromkeys(wanted))[:MOST]


def findings(links: Collection[emails.Reference]) -> list[emails.Finding]:
    """What the answers mean for the author."""
    checks = known(askable(links))
    found = []
    for link in links:
        check = checks.get(link.url)
        if check and check.state is LinkState.DEAD:
            found.append(
                emails.Finding(
                    "warning",
                    "dead_link",
                    f"This link is dead: {check.words} Mend it, or take it out.",
                    link.line,
                    link.url,
                )
            )
        elif check and check.state is LinkState.UNKNOWN:
            found.append(
                emails.Finding(
                    "unchecked",
                    "unchecked_link",
                    f"{link.url} could not be checked. {check.words} Look yourself whether it works.",
                    link.line,
                    link.url,
                )
            )
    return found


def judged(url: str) -> Result:
    """What an address says of itself."""
    try:
        status = fetcher.status(url)
    except NoSuchSite as refused:
        return Result(LinkState.DEAD, None, _sentence(refused))
    except NotFetched as refused:
        return Result(LinkState.UNKNOWN, None, _sentence(refused))
    if status in _GONE:
        return Result(LinkState.DEAD, status, f"Its server says that there is no such page ({status}).")
    if status >= 400:
        return Result(LinkState.UNKNOWN, status, f"Its server does not answer programs like this one ({status}).")
    return Result(LinkState.ALIVE, status)


def _sentence(refused: NotFetched) -> str:
    return f"{refused.sentence[0].upper()}{refused.sentence[1:]}."


def _urls_of(post: Post) -> list[str]:
    try:
        revision = content.latest_revision(post)
        said = content.post_content(post, revision)
    except emails.LetterError:
        return []
    return askable(emails.Proof(content=said, source=revision.source).links)


def _due(urls: list[str]) -> list[str]:
    checks = known(urls)
    return [url for url in urls if url not in checks or clock.now() - checks[url].at > FRESH]


def _asked(urls: list[str]) -> list[tuple[str, Result]]:
    by_host: dict[str, list[str]] = {}
    for url in urls:
        by_host.setdefault(emails.host_of(url), []).append(url)
    until = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(AT_ONCE) as askers:
        return list(chain.from_iterable(askers.map(lambda of_host: _in_turn(of_host, until), by_host.values())))


def _believed(answers: list[tuple[str, Result]]) -> list[tuple[str, Result]]:
    """That a site does not exist is believed only where others are found: else it may be our own network."""
    if any(result.status for _, result in answers) or _somebody_answered_lately():
        return answers
    return [
        (url, replace(result, state=LinkState.UNKNOWN, words=f"{result.words} Or no name can be looked up from here."))
        if result.state is LinkState.DEAD
        else (url, result)
        for url, result in answers
    ]


def _somebody_answered_lately() -> bool:
    query = select(LinkCheck.url).where(LinkCheck.status.is_not(None), LinkCheck.at > clock.now() - FRESH)
    return db.session.scalar(query.limit(1)) is not None


def _in_turn(urls: list[str], until: float) -> list[tuple[str, Result]]:
    return [(url, judged(url)) for url in urls if time.monotonic() < until]

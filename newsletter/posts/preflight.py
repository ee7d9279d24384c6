"""What must be mended before a post may go out, what its author decides, and what could not be checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

import emails
from newsletter.config import settings
from newsletter.db import db
from newsletter.posts import content, link_checks
from newsletter.posts.models import MediaFile, Post, Revision, SpamCheck
from newsletter.publication.models import LongMail, Newsletter
from newsletter.tiers.models import Tier

GMAIL_CLIPS_AT = 102_000  # bytes of HTML, see support.google.com and common experience
SUSPICIOUS = 2.0  # points of a spam filter that condemns at 5: other filters count differently
_READERS = {
    emails.Audience.FREE: "free readers",
    emails.Audience.PAYING: "paying readers",
    emails.Audience.OTHER: "payers of other tiers",
}


@dataclass(frozen=True)
class Size:
    """How large one variant of the letter is, and where it was folded to be no larger."""

    audience: emails.Audience
    size: int  # bytes of HTML
    fold: emails.Fold | None


@dataclass(frozen=True)
class Examination:
    problems: list[emails.Finding]  # errors first
    sizes: tuple[Size, ...]  # none if it cannot be compiled


def problems(post: Post, revision: Revision | None = None) -> list[emails.Finding]:
    """Errors first."""
    return examine(post, revision).problems


def examine(post: Post, revision: Revision | None = None) -> Examination:
    """Compiles every variant for trial, so that nothing new can go wrong at the moment of sending."""
    of_the_text, sizes = _of_the_text(post, revision or content.latest_revision(post))
    found = [*_of_the_sender(post.newsletter), *of_the_text]
    return Examination(sorted(found, key=lambda finding: finding.rank), sizes)


def size_in_words(sizes: Sequence[Size]) -> str:
    """The largest first; the others only where they differ by what can be seen."""
    largest, *others = sorted(sizes, key=lambda each: -each.size)
    said = f"The mail has {_kilobytes(largest.size)} of the {GMAIL_CLIPS_AT // 1000} kB that Gmail shows"
    different = [each for each in others if _kilobytes(each.size) != _kilobytes(largest.size)]
    if not different:
        return f"{said}."
    listed = "; ".join(f"{_kilobytes(each.size)} for {_READERS[each.audience]}" for each in different)
    return f"{said}, for {_READERS[largest.audience]}; {listed}."


def _of_the_sender(newsletter: Newsletter) -> list[emails.Finding]:
    found = []
    if not newsletter.publication.postal_address.strip():
        found.append(
            emails.Finding(
                "error",
                "no_postal_address",
                "The postal address is empty, and most countries want one in every issue. Add it in the settings.",
            )
        )
    if newsletter.archived_at:
        found.append(
            emails.Finding("error", "archived", f"The newsletter “{newsletter.name}” is archived. Choose another one.")
        )
    return found


def _of_the_text(post: Post, revision: Revision) -> tuple[list[emails.Finding], tuple[Size, ...]]:
    try:
        proof = _proof(post, revision)
    except emails.SourceError as error:
        return [emails.Finding("error", "unreadable", error.sentence, error.line)], ()
    except emails.LetterError as error:
        return [emails.Finding("error", "unreadable", str(error))], ()
    sizes = tuple(Size(kind, letter.size, letter.fold) for kind, letter in proof.letters.items())
    found = [*emails.findings(proof), *_of_the_size(post, sizes), *link_checks.findings(proof.links)]
    return [*found, *_of_the_filter(revision)], sizes


def _proof(post: Post, revision: Revision) -> emails.Proof:
    """Raises emails.LetterError."""
    said, theme = content.post_content(post, revision), content.theme_of(post)
    readers = emails.mailed_to(said)
    proof = emails.Proof(
        content=said,
        source=revision.source,
        body_line=emails.read_post(revision.source).body_line,
        letters={reader: emails.compile_post(said, theme, reader) for reader in readers},
        site_url=settings().site_url,
        can_be_paid=Tier.any_exists(),
    )
    return proof.weighed(_weights([shown.url for shown, _ in proof.pictures]))


def _weights(urls: list[str]) -> dict[str, int]:
    """Bytes of those pictures that are kept here: their names can be nobody else's."""
    names = {url.rpartition("/")[2]: url for url in urls}
    if not names:
        return {}
    query = select(MediaFile.name, MediaFile.size).where(MediaFile.name.in_(names))
    return {names[name]: size for name, size in db.session.execute(query)}


def _of_the_filter(revision: Revision) -> list[emails.Finding]:
    judged = db.session.get(SpamCheck, revision.id)
    if judged is None or judged.points < SUSPICIOUS:
        return []
    rules = "; ".join(judged.rules[:5])
    names = " ".join(sorted(rule.split()[1] for rule in judged.rules))
    return [
        emails.Finding(
            "warning",
            "spam_points",
            f"SpamAssassin counts {judged.points:.1f} points against this letter (it condemns at 5): {rules}.",
            None,
            names,
        )
    ]


def _of_the_size(post: Post, sizes: tuple[Size, ...]) -> list[emails.Finding]:
    largest = max(sizes, key=lambda each: each.fold.whole_size if each.fold else each.size)
    if largest.fold:
        before = f"before “{largest.fold.begins}”" if largest.fold.begins else "at its last border before that"
        return [
            emails.Finding(
                "warning",
                "folded",
                f"The HTML would be {largest.fold.whole_size // 1000} kB, and Gmail cuts at 102 kB. It is folded "
                f"{before}: {largest.size // 1000} kB go out, and from there on it is read on the web.",
            )
        ]
    if largest.size <= emails.FOLD_OVER:
        return []
    cut = "will cut it" if largest.size > GMAIL_CLIPS_AT else "will soon cut it"
    is_closed = post.newsletter.publication.long_mail is LongMail.FOLD
    why = " It is not folded, since its page does not show all of it to everyone." if is_closed else ""
    return [
        emails.Finding(
            "warning",
            "large",
            f"The HTML is {largest.size // 1000} kB: Gmail {cut} (at 102 kB). Shorten it, or split it in two.{why}",
        )
    ]


def _kilobytes(size: int) -> str:
    return f"{-(-size // 1000)} kB"

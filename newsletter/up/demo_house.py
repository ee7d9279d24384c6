"""The publication of the demo: its name and logo, two newsletters, its owner, a tier, and what it has published."""

from datetime import datetime, time
from pathlib import Path

from newsletter import clock
from newsletter.accounts import passwords
from newsletter.accounts.models import User
from newsletter.accounts.owners import create_owner
from newsletter.posts import illustrating, pictures, publishing
from newsletter.posts.models import Post, PostStatus
from newsletter.publication.founding import found
from newsletter.publication.looks import set_logo
from newsletter.publication.models import Newsletter, Publication
from newsletter.publication.settings import add_newsletter
from newsletter.tiers.catalogue import Listing
from newsletter.tiers.catalogue import add as add_tier
from newsletter.tiers.models import Cadence
from newsletter.up import demo_logo

OWNER_EMAIL = "mara@thread.example.org"
MAIN_POST = "what-ive-been-reading-2"
ACCEPTED = ("promised_parts",)  # its opening announces three topics, and four follow: the author ticked that
_OWNER = "Mara Lindqvist"
_ACCENT = "#9c2b2e"
_HERE = Path(__file__).parent
_PLACEHOLDER = "https://demo.invalid/pictures/"


def settle(password: str) -> None:
    """Everything but the readers, or only the way in when it stands already. All or nothing: the caller commits."""
    is_new = Publication.find() is None
    if is_new:
        _found()
    _let_in(password)
    if is_new:
        for file in sorted((_HERE / "demo_earlier").glob("*.md")):
            _publish(file)
        _write(_HERE / "demo_post.md")


def _found() -> None:
    main = found(
        name="The Red Thread",
        tagline="Letters about reading, mail and other slow things",
        newsletter="The Red Thread",
        sender_name=_OWNER,
        sender_email=OWNER_EMAIL,
        postal_address="Spool Lane 7\n1017 Spinning Mills",
        time_zone="Europe/Amsterdam",
        accent=_ACCENT,
    )
    main.description = "The long letter, once a month: what I have been reading, and what stayed."
    publication = main.publication
    add_newsletter(
        publication,
        name="Postscript",
        sender_name=f"{_OWNER}, P.S.",
        sender_email=OWNER_EMAIL,
        description="The short one, on some Fridays. Read it before the kettle boils.",
    )
    logo = pictures.add_logo(demo_logo.draw(_ACCENT), publication_id=publication.id)
    set_logo(publication, logo.key)
    prices = {(Cadence.MONTH, "EUR"): 500, (Cadence.YEAR, "EUR"): 5000}
    benefits = ("Every letter, to its end", "The whole archive")
    add_tier(publication, Listing("Patrons", "For those who want all of it.", benefits, prices=prices))


def _let_in(password: str) -> None:
    owner = User.by_email(OWNER_EMAIL) or create_owner(OWNER_EMAIL, _OWNER, password)
    if not passwords.matches(owner, password):  # the note with the first password was lost
        owner.password_hash = passwords.hashed(password)


def _publish(file: Path) -> None:
    """On the site since its date, as if it had been mailed then."""
    post = _write(file)
    day = post.dated or clock.now().date()
    post.status = PostStatus.PUBLISHED
    post.published_at = datetime.combine(day, time(7, 30), post.newsletter.publication.zone)


def _write(file: Path) -> Post:
    source = file.read_text()
    for picture in sorted((_HERE / "pictures").iterdir()):
        if _PLACEHOLDER + picture.name in source:
            media = pictures.add(picture.read_bytes(), publication_id=Publication.current().id)
            source = source.replace(_PLACEHOLDER + picture.name, illustrating.address(media))
    author = User.by_email(OWNER_EMAIL)
    return publishing.write(source, newsletter=Newsletter.open()[0], user_id=author.id if author else None)

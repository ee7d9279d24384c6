"""The pictures of a post get their sizes and files: what the author wrote is an address, what is shown is more."""

import re
from dataclasses import replace
from typing import Final

from sqlalchemy import select

import emails
from emails.document import Block, Image, Inline, Source
from emails.mail import MEASURE
from newsletter import storage
from newsletter.config import settings
from newsletter.db import db
from newsletter.posts.models import ENDINGS, Media, MediaFile, MediaPurpose

MOST_TRIES: Final = 3
# Whatever the site was called when the post was written: the key says that the picture is ours.
_OURS: Final = re.compile(r"https?://[^/?#]+/(?:[^?#]*/)?([0-9a-f]{32})(?:-[a-z0-9]+)?\.(?:png|jpg|gif|webp|avif)")


def illustrated(document: emails.Document) -> emails.Document:
    """The same post; pictures that we keep have their measures, and all their files to choose from."""
    keys = _keys(document)
    if not keys:
        return document
    known = {media.key: media for media in db.session.scalars(select(Media).where(Media.key.in_(keys)))}

    def complete(node: Block | Inline) -> Block | Inline:
        if isinstance(node, Image) and (media := known.get(_key(node.url))):
            return _shown(node, media)
        return node

    return emails.rewritten(document, complete)


def address(media: Media) -> str:
    """What stands in the author's text. It stays the same, wherever the files are moved to."""
    return f"{settings().site_url}/media/{media.file_name}"


def unfinished() -> list[int]:
    """Pictures whose job was lost."""
    return list(
        db.session.scalars(
            select(Media.id).where(Media.finished_at.is_(None), Media.tries < MOST_TRIES).order_by(Media.id).limit(20)
        )
    )


def thumbnail(media: Media) -> str:
    """The lightest file that every browser shows."""
    everywhere = [file for file in media.files if file.content_type in ENDINGS]
    return storage.url(min(everywhere, key=lambda file: file.size).name)


def latest(count: int) -> list[Media]:
    """Those for posts, newest first."""
    return list(db.session.scalars(select(Media).where(Media.name != "").order_by(Media.id.desc()).limit(count)))


def _keys(document: emails.Document) -> set[str]:
    found = set()

    def note(node: Block | Inline) -> Block | Inline:
        if isinstance(node, Image):
            found.add(_key(node.url))
        return node

    emails.rewritten(document, note)
    return found - {""}


def _key(url: str) -> str:
    match = _OURS.fullmatch(url)
    return match[1] if match else ""


def _shown(image: Image, media: Media) -> Image:
    """The author's width stays, and so does the shape of the picture."""
    width, height = _measures(image, media)
    sources = tuple(
        Source(storage.url(file.name), file.content_type, file.width, file.purpose is MediaPurpose.STILL)
        for file in media.files
        if file.purpose is not MediaPurpose.MASTER
    )
    everywhere = [file for file in media.files if file.purpose is MediaPurpose.MAIL]
    url = storage.url(_sharp_enough(everywhere, width).name) if everywhere else image.url
    return replace(image, url=url, width=width, height=height, sources=sources)


def _measures(image: Image, media: Media) -> tuple[int, int]:
    if image.width:
        return image.width, max(1, round(image.width * media.height / media.width))
    if image.height:
        return max(1, round(image.height * media.width / media.height)), image.height
    return media.width, media.height


def _sharp_enough(files: list[MediaFile], width: int) -> MediaFile:
    """What has two pixels for each that is shown in mail, and no more."""
    wanted = 2 * min(width, MEASURE)
    return next((file for file in files if file.width >= wanted), files[-1])

"""Pictures that are uploaded: checked by what they are, made anew in every size, kept in the storage."""

import re
from datetime import datetime
from hashlib import blake2b
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from newsletter import clock, jobs, storage
from newsletter.config import settings
from newsletter.db import db
from newsletter.jobs import Job
from newsletter.posts import decoding, encoding
from newsletter.posts.decoding import NotAPicture
from newsletter.posts.encoding import File
from newsletter.posts.illustrating import MOST_TRIES
from newsletter.posts.models import Media, MediaFile, MediaPurpose

__all__ = ["NotAPicture", "add", "add_for_card", "add_logo", "begin", "finish"]

LOGO_FITS: Final = (960, 240)  # shown 40 high in mail: enough for the sharpest screens
_UNNAMED: Final = "picture"


def add(content: bytes, *, publication_id: int, name: str = "") -> Media:
    """Keep a picture for posts. The same picture again is the same row. Raises NotAPicture with what to do about it.

    What mail needs is there at once; the formats of the page follow in a job.
    """
    key = _key("picture", content)
    if known := Media.by_key(key):
        return known
    picture = decoding.decode(content, fit=encoding.FIT, moving_fit=encoding.MOVING_FIT)
    files = encoding.for_mail(picture, weighed=len(content))
    media = _keep(key, files, publication_id=publication_id, name=_cleaned(name), finished_at=None)
    jobs.enqueue(Job.FINISH_PICTURE, media.id)
    return media


def add_logo(content: bytes, *, publication_id: int) -> Media:
    """Keep a picture that is shown small everywhere: one PNG. Raises NotAPicture."""
    key = _key("logo", content)
    if known := Media.by_key(key):
        return known
    file = encoding.as_png(decoding.decode(content, fit=LOGO_FITS))
    return _keep(key, [file], publication_id=publication_id, name="", finished_at=clock.now())


def add_for_card(content: bytes, *, publication_id: int, fit: tuple[int, int]) -> Media:
    """Keep a picture of somebody else's page: its first frame, as one file that mail shows. Raises NotAPicture."""
    key = _key(f"card {fit[0]}", content)
    if known := Media.by_key(key):
        return known
    mail_files = encoding.for_mail(decoding.decode(content, fit=fit), weighed=len(content))
    one = [file for file in mail_files if file.suffix.startswith(".")]
    return _keep(key, one, publication_id=publication_id, name="", finished_at=clock.now())


def begin(media_id: int) -> bool:
    """Whether there is something left to make. To be committed before `finish`: a picture that ends the process that
    reads it is tried a few times, not for ever."""
    return bool(
        db.session.scalar(
            update(Media)
            .where(Media.id == media_id, Media.finished_at.is_(None), Media.tries < MOST_TRIES)
            .values(tries=Media.tries + 1)
            .returning(Media.id)
        )
    )


def finish(media_id: int) -> None:
    """Make the files of the page. Safe to run twice, or twice at once: the same files under the same names."""
    media = db.session.get_one(Media, media_id)
    master = next((file for file in media.files if file.purpose is MediaPurpose.MASTER), media.files[-1])
    content = storage.get(master.name)
    if content is not None:
        picture = decoding.of_ours(content, fit=encoding.FIT, moving_fit=encoding.MOVING_FIT)
        for file in encoding.for_page(picture):
            _keep_file(media, file)
    media.finished_at = clock.now()


def _key(use: str, content: bytes) -> str:
    """The same for the same picture, and nobody can tell it who has not seen it."""
    secret = settings().secret_key.get_secret_value().encode()
    keyed = blake2b(secret, person=b"media", digest_size=32).digest()
    return blake2b(content, key=keyed, person=use.encode(), digest_size=16).hexdigest()


def _keep(key: str, files: list[File], *, publication_id: int, name: str, finished_at: datetime | None) -> Media:
    """Files first: a row whose file is missing would be a hole in a letter, a file without a row is only a file."""
    largest = max(files, key=lambda file: file.width)
    stands_for_it = next(file for file in files if file.suffix.startswith("."))
    for file in files:
        storage.put(key + file.suffix, file.content)
    db.session.execute(
        insert(Media)
        .values(
            key=key,
            publication_id=publication_id,
            content_type=storage.content_type(stands_for_it.suffix),
            width=largest.width,
            height=largest.height,
            name=name,
            finished_at=finished_at,
        )
        .on_conflict_do_nothing(index_elements=[Media.key])  # uploaded twice at the same moment
    )
    media = db.session.scalars(select(Media).where(Media.key == key)).one()
    for file in files:
        _keep_row(media, file)
    db.session.refresh(media)
    return media


def _keep_file(media: Media, file: File) -> None:
    storage.put(media.key + file.suffix, file.content)
    _keep_row(media, file)


def _keep_row(media: Media, file: File) -> None:
    name = media.key + file.suffix
    db.session.execute(
        insert(MediaFile)
        .values(
            name=name,
            media_id=media.id,
            content_type=storage.content_type(name),
            width=file.width,
            height=file.height,
            size=len(file.content),
            purpose=file.purpose,
        )
        .on_conflict_do_nothing(index_elements=[MediaFile.name])
    )


def _cleaned(name: str) -> str:
    """The name of the file without folders and ending, for people to find it again. Never part of an address."""
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0]
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in stem).split())
    return words[:80] or _UNNAMED

"""Pictures for posts: taken from a form or from a page that speaks for itself, and offered again."""

import contextlib
from typing import Any, Final

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from newsletter.admin import bp
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts import decoding, illustrating, pictures
from newsletter.posts.models import Media
from newsletter.publication.models import Publication

OFFERED: Final = 24  # of those that were used before
KINDS: Final = "image/jpeg,image/png,image/gif,image/webp,image/avif"
MOST: Final = 20  # in one go


class TooMany(NewsletterError):
    status = 422

    def __init__(self) -> None:
        super().__init__(f"Up to {MOST} pictures go in at once. None of these was added.")


@bp.post("/pictures")
def add_picture() -> ResponseReturnValue:
    """One picture; the page puts what is answered where the cursor is."""
    try:
        media = _kept(request.files.get("picture"))
        db.session.commit()
    except NewsletterError as error:
        db.session.rollback()
        return jsonify(said=error.sentence), error.status
    return jsonify(
        said=f"“{media.name}” is in the text.",
        address=illustrating.address(media),
        name=media.name,
        offers=render_template("admin/posts/_pictures.html", **offers()),
    )


def add_sent() -> str:
    """The Markdown of the pictures that came with this request, uploaded or chosen again. Raises NewsletterError."""
    files, keys = _files(), request.form.getlist("again")
    if len(files) + len(keys) > MOST:
        raise TooMany
    found = [*map(_kept, files), *filter(None, map(Media.by_key, keys))]
    words = request.form.get("shows", "") if len(found) == 1 else ""
    return "\n\n".join(_markdown(media, words) for media in found)


def were_sent() -> bool:
    return bool(_files() or request.form.getlist("again"))


def offers() -> dict[str, Any]:
    """What the part of the page about pictures is made of."""
    return {
        "offered": illustrating.latest(OFFERED),
        "address": illustrating.address,
        "thumbnail": illustrating.thumbnail,
        "kinds": KINDS,
        "heaviest": decoding.HEAVIEST,
        "largest": decoding.LARGEST,
    }


def uploaded(file: FileStorage | None) -> bytes:
    """One byte more than is allowed is enough to know that it is too many."""
    if file is None:
        return b""
    with contextlib.closing(file):  # a large one lies in a temporary file
        return file.stream.read(decoding.HEAVIEST + 1)


def _files() -> list[FileStorage]:
    return [file for file in request.files.getlist("pictures") if file.filename]


def _kept(file: FileStorage | None) -> Media:
    name = (file.filename if file else "") or ""
    return pictures.add(uploaded(file), publication_id=Publication.current().id, name=name)


def _markdown(media: Media, words: str) -> str:
    """Brackets and line ends would end the words too soon."""
    shown = " ".join(words.replace("[", "(").replace("]", ")").replace("\\", "/").split())
    return f"![{shown}]({illustrating.address(media)})"

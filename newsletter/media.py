"""The address of pictures: anybody may see them, nothing in them can act."""

import re

from flask import Blueprint, Response, abort

from newsletter import storage
from newsletter.posts.models import Media

bp = Blueprint("media", __name__)

_NAME = re.compile(rf"([0-9a-f]{{32}})(?:-[a-z0-9]{{1,8}})?\.(?:{'|'.join(storage.TYPES)})")


@bp.get("/media/<name>")
def picture(name: str) -> Response:
    match = _NAME.fullmatch(name)
    content = (storage.get(name) or _from_before(match[1], name)) if match else None
    if content is None:
        abort(404)
    return Response(
        content,
        content_type=storage.content_type(name),
        headers={
            "Cache-Control": storage.FOR_EVER,
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",  # mail programs show it too
        },
    )


def _from_before(key: str, name: str) -> bytes | None:
    """Pictures lay in the database before there was a storage; letters with their addresses are still read."""
    media = Media.by_key(key)
    return media.content if media and media.file_name == name else None

"""The address of pictures: anybody may see them, nothing in them can act."""

from flask import Blueprint, Response, abort

from newsletter.posts.models import Media

bp = Blueprint("media", __name__)


@bp.get("/media/<key>.png")
def picture(key: str) -> Response:
    media = Media.by_key(key)
    if media is None:
        abort(404)
    return Response(
        media.content,
        content_type=media.content_type,
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",  # a changed picture gets a new key
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": "inline",
            "Cross-Origin-Resource-Policy": "cross-origin",  # mail programs show it too
        },
    )

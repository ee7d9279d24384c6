"""Pictures that are uploaded: decoded, measured, and written anew as PNG. The bytes that came in are not kept."""

import secrets
import warnings
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.posts.models import Media

HEAVIEST: Final = 5 * 1024 * 1024  # bytes
LARGEST: Final = 40_000_000  # pixels
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")


class NotAPicture(NewsletterError):
    status = 422


def add(content: bytes, *, publication_id: int, fit: tuple[int, int] = (2400, 2400)) -> Media:
    """Keep a picture, made to fit if it is larger. Raises NotAPicture with what to do about it."""
    if not content:
        raise NotAPicture("Choose a picture first.")
    if len(content) > HEAVIEST:
        raise NotAPicture(f"This file has {len(content) / 1024 / 1024:.1f} MB. A picture may have up to 5 MB.")
    if b"<svg" in content[:2000].lower():
        raise NotAPicture("SVG files can carry programs, so we do not take them. Export it as PNG, twice as large.")
    picture = _decoded(content)
    picture.thumbnail(fit)
    clean = BytesIO()
    picture.save(clean, "PNG", optimize=True)
    media = Media(
        publication_id=publication_id,
        key=secrets.token_hex(16),
        content_type="image/png",
        width=picture.width,
        height=picture.height,
        content=clean.getvalue(),
    )
    db.session.add(media)
    db.session.flush()
    return media


def _decoded(content: bytes) -> Image.Image:
    """The pixels and nothing else: no comments, no camera data, no second file behind the picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(content), formats=_FORMATS)
            if opened.width * opened.height > LARGEST:
                raise _too_large()
            picture = ImageOps.exif_transpose(opened)
            has_alpha = "A" in picture.getbands() or "transparency" in picture.info
            pixels = picture.convert("RGBA" if has_alpha else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except (OSError, ValueError, SyntaxError):  # what Pillow's readers raise for broken files
        raise NotAPicture("This file is not a picture that we can read. PNG, JPEG, GIF and WebP work.") from None
    pixels.info.clear()
    return pixels


def _too_large() -> NotAPicture:
    return NotAPicture("This picture has more than 40 million pixels. Make it smaller first; 1,200 across is plenty.")

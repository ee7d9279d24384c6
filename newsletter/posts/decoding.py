"""What was uploaded, looked at by its content: the pixels are taken and everything else is left behind."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms, ImageOps, ImageSequence

from newsletter.errors import NewsletterError

HEAVIEST: Final = 15 * 1024 * 1024  # bytes
LARGEST: Final = 50_000_000  # pixels: what the best telephones take
LONGEST_SIDE: Final = 20_000
MOST_FRAMES: Final = 300
MOST_MOVING: Final = 25_000_000  # pixels of all frames together
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
_MOVING: Final = frozenset({"GIF", "WEBP", "PNG"})
_APPLE: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_RESIZABLE: Final = frozenset({"RGB", "RGBA", "L", "LA", "CMYK"})  # others are numbers of colours, not colours
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5  # of EXIF: from 5 on, width and height change places
_SHORTEST: Final = 20  # milliseconds that a frame is shown; browsers slow down what claims less

# What Pillow's readers raise for broken and for hostile files.
_BROKEN: Final = (
    OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip


class NotAPicture(NewsletterError):
    status = 422


@dataclass(frozen=True)
class Picture:
    """Upright pixels in sRGB, as RGB or RGBA. More than one frame: it moves."""

    frames: tuple[Image.Image, ...]
    durations: tuple[int, ...] = ()  # milliseconds, one for each frame
    loops: int = 0  # 0: for ever

    @property
    def first(self) -> Image.Image:
        return self.frames[0]

    @property
    def moves(self) -> bool:
        return len(self.frames) > 1

    @property
    def has_alpha(self) -> bool:
        return self.first.mode == "RGBA"


def decode(content: bytes, *, fit: tuple[int, int], moving_fit: tuple[int, int] | None = None) -> Picture:
    """The picture, made to fit if it is larger. Without `moving_fit` only the first frame counts.

    Raises NotAPicture, with what to do about it. Nothing is decoded before its size is known to be bearable.
    """
    _refuse_by_sight(content)
    return of_ours(content, fit=fit, moving_fit=moving_fit)


def of_ours(content: bytes, *, fit: tuple[int, int], moving_fit: tuple[int, int] | None = None) -> Picture:
    """The same for a file that we have made: it may have become heavier than what came."""
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as opened:
            _refuse_by_size(opened)
            if moving_fit and opened.format in _MOVING and getattr(opened, "is_animated", False):
                return _moving(opened, moving_fit)
            _narrow(opened, fit)
            return Picture((_fitted(_clean(ImageOps.exif_transpose(opened)), fit),))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except _BROKEN:
        raise NotAPicture("This file is not a picture that we can read. JPEG, PNG, GIF, WebP and AVIF work.") from None


def _refuse_by_sight(content: bytes) -> None:
    if not content:
        raise NotAPicture("Choose a picture first.")
    if len(content) > HEAVIEST:
        raise NotAPicture(
            f"This file has {len(content) / 1024 / 1024:.1f} MB or more. A picture may have up to "
            f"{HEAVIEST // 1024 // 1024} MB."
        )
    if b"<svg" in content[:2000].lower():
        raise NotAPicture(
            "SVG files can carry programs, and most mail programs do not show them, so we do not take them. "
            "Export it as PNG, twice as large as it should look."
        )
    if content[4:8] == b"ftyp" and content[8:12] in _APPLE:
        raise NotAPicture(
            "This is a HEIC file, which only Apple's devices show. Export it as JPEG; on an iPhone, “Most Compatible” "
            "in Settings > Camera > Formats takes JPEGs from now on."
        )


def _refuse_by_size(opened: Image.Image) -> None:
    if opened.width * opened.height > LARGEST:
        raise _too_large()
    if max(opened.size) > LONGEST_SIDE:
        raise NotAPicture(f"This picture is longer than {LONGEST_SIDE:,} pixels on one side. Cut it into pieces first.")


def _narrow(opened: Image.Image, fit: tuple[int, int]) -> None:
    """Before anything else copies it: all pixels of a large picture are in memory once, those of a JPEG never."""
    if opened.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE:
        fit = fit[1], fit[0]
    factor = min(1, fit[0] / opened.width, fit[1] / opened.height)
    wanted = max(1, round(opened.width * factor)), max(1, round(opened.height * factor))
    opened.draft(None, (wanted[0] * 2, wanted[1] * 2))
    if opened.mode in _RESIZABLE and "transparency" not in opened.info:
        opened.thumbnail(fit, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _moving(opened: Image.Image, fit: tuple[int, int]) -> Picture:
    # Counting reads the file frame by frame and decodes none; a number that the file claims would prove nothing.
    count = int(getattr(opened, "n_frames", 1))
    if count > MOST_FRAMES or count * opened.width * opened.height > MOST_MOVING:
        raise NotAPicture(
            f"This moving picture has {count:,} frames of {opened.width} × {opened.height} pixels, too much for mail. "
            f"Up to {MOST_FRAMES} frames and {MOST_MOVING // 1_000_000} million pixels of all frames together work: "
            "make it shorter or smaller, or link to a video."
        )
    frames, durations = [], []
    for frame in ImageSequence.Iterator(opened):
        durations.append(max(_SHORTEST, int(frame.info.get("duration", 100))))
        frames.append(_fitted(_clean(frame.copy()), fit))
    return Picture(_alike(frames), tuple(durations), int(opened.info.get("loop", 0)) if _loops(opened) else 1)


def _loops(opened: Image.Image) -> bool:
    return opened.format != "GIF" or "loop" in opened.info  # a GIF that does not say so plays once


def _alike(frames: list[Image.Image]) -> tuple[Image.Image, ...]:
    mode = "RGBA" if any(frame.mode == "RGBA" for frame in frames) else "RGB"
    return tuple(frame if frame.mode == mode else frame.convert(mode) for frame in frames)


def _clean(picture: Image.Image) -> Image.Image:
    """The pixels and nothing else: no comments, no place where it was taken, no second file behind the picture."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits for each grey
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    has_alpha = "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info
    profile = picture.info.get("icc_profile")
    pixels = _in_srgb(picture, profile, has_alpha=has_alpha) if profile else None
    if pixels is None:
        pixels = picture.convert("RGBA" if has_alpha else "RGB")
    if pixels.mode == "RGBA" and pixels.getchannel("A").getextrema()[0] == 255:  # transparent in name only
        pixels = pixels.convert("RGB")
    if pixels is picture:
        pixels = picture.copy()
    pixels.info.clear()
    return pixels


def _in_srgb(picture: Image.Image, profile: bytes, *, has_alpha: bool) -> Image.Image | None:
    """Colours as their profile means them. None if the profile is of no use: then the numbers are taken as they are."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if picture.mode == "CMYK":
            return ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
        if picture.mode == "L":
            return ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
        flat = picture.convert("RGBA" if has_alpha else "RGB")
        return ImageCms.profileToProfile(flat, source, _SRGB)
    except (ImageCms.PyCMSError, *_BROKEN):
        return None


def _fitted(picture: Image.Image, fit: tuple[int, int]) -> Image.Image:
    picture.thumbnail(fit, Image.Resampling.LANCZOS)
    return picture


def _too_large() -> NotAPicture:
    return NotAPicture(
        f"This picture has more than {LARGEST // 1_000_000} million pixels. Make it smaller first; 1,500 across is "
        "plenty."
    )


_SRGB: Final = ImageCms.createProfile("sRGB")

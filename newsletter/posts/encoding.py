"""The files that are made of a picture: some that every mail program shows, and smaller ones for the page."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image

from emails.mail import MEASURE
from newsletter.posts.decoding import NotAPicture, Picture
from newsletter.posts.models import MediaPurpose

MAIL: Final = (MEASURE, 2 * MEASURE)  # pixels across: the measure of mail, and twice that for sharp screens
PAGE: Final = (MEASURE, 736, 2 * MEASURE, 1472)  # the measure of a page, twice, and what telephones need
TALLEST: Final = 8000
FIT: Final = (PAGE[-1], TALLEST)
MOVING_FIT: Final = (MAIL[0], TALLEST)  # moving pictures are heavy: no more than fits into mail
HEAVIEST_MOVING: Final = 5 * 1024 * 1024  # bytes
ENOUGH: Final = 200_000  # bytes of a picture in mail, if it can be had for less sharpness

_QUALITIES: Final = (84, 78, 70, 62, 55)
_MASTER: Final = 92
_WEBP, _AVIF, _AVIF_SPEED = 80, 62, 7
_INDEXED: Final = 256  # colours that fit into a palette
_FLAT: Final = 16_384  # colours: more has only a photograph


@dataclass(frozen=True)
class File:
    suffix: str  # what follows the key in its name: "-552.jpg"
    content: bytes
    width: int
    height: int
    purpose: MediaPurpose


def for_mail(picture: Picture, *, weighed: int) -> list[File]:
    """What mail shows, narrowest first; the one without a width in its name stands for the picture. Then what the
    page's files are made of, if that is another. `weighed`: the bytes that came, not to be outdone in vain."""
    if picture.moves:
        return _moving(picture)
    widest = picture.first.width
    stands_for_it = min(widest, MAIL[-1])
    files = []
    for width in dict.fromkeys([*(width for width in MAIL if width < widest), stands_for_it]):
        pixels = _narrowed(picture.first, width)
        content = _still(pixels, budget=min(ENOUGH, weighed) if width == widest else ENOUGH)
        name = "" if width == stands_for_it else f"-{width}"
        files.append(_file(f"{name}.{_ending(content)}", content, pixels, MediaPurpose.MAIL))
    is_png = files[-1].suffix.endswith("png")
    master = _lossless(picture.first) if is_png else _jpeg_at(_MASTER, picture.first)
    return [*files, _file(f"-{widest}.{_ending(master)}", master, picture.first, MediaPurpose.MASTER)]


def for_page(picture: Picture) -> list[File]:
    """The same in formats of today. Slow: seconds for a large photograph."""
    if picture.moves:
        return [_file(".webp", _saved_moving(picture), picture.first, MediaPurpose.PAGE)]
    widest = picture.first.width
    is_flat = _is_flat(picture.first)
    webps, avifs = [], []
    for width in dict.fromkeys([*(width for width in PAGE if width < widest), widest]):
        pixels = _narrowed(picture.first, width)
        webps.append(_file(f"-{width}.webp", _webp(pixels, is_flat=is_flat), pixels, MediaPurpose.PAGE))
        avif = _saved(pixels, format="AVIF", quality=_AVIF, speed=_AVIF_SPEED, max_threads=1)
        avifs.append(_file(f"-{width}.avif", avif, pixels, MediaPurpose.PAGE))
    # A browser takes AVIF where it can. All widths or none: it chooses the kind first, then the width.
    is_worth_it = sum(len(file.content) for file in avifs) < sum(len(file.content) for file in webps)
    return [*webps, *avifs] if is_worth_it else webps


def as_png(picture: Picture) -> File:
    return _file(".png", _lossless(picture.first), picture.first, MediaPurpose.MAIL)


def _moving(picture: Picture) -> list[File]:
    gif = _gif(picture)
    if len(gif) > HEAVIEST_MOVING:
        raise NotAPicture(
            f"As a GIF, which is what mail can show, this moving picture has {len(gif) / 1024 / 1024:.1f} MB. Up to "
            f"{HEAVIEST_MOVING // 1024 // 1024} MB work: make it shorter or smaller, or link to a video."
        )
    still = _png(picture.first) if picture.has_alpha else _jpeg(picture.first, ENOUGH)
    return [
        _file(".gif", gif, picture.first, MediaPurpose.MAIL),
        _file(f"-still.{_ending(still)}", still, picture.first, MediaPurpose.STILL),
    ]


def _still(pixels: Image.Image, budget: int) -> bytes:
    """PNG for what is transparent or flat, else JPEG."""
    if pixels.mode == "RGBA":
        return _png(pixels)
    jpeg = _jpeg(pixels, budget)
    if not _is_flat(pixels):  # a photograph: as PNG it would be many times as large
        return jpeg
    png = _png(pixels)
    return png if len(png) <= max(len(jpeg), budget // 4) else jpeg


def _is_flat(pixels: Image.Image) -> bool:
    """A drawing or a screenshot: few colours, sharp edges."""
    return pixels.getcolors(_FLAT) is not None


def _jpeg(pixels: Image.Image, budget: int) -> bytes:
    """As good as fits into the budget; what does not fit gets the least quality that looks well."""
    content = b""
    for quality in _QUALITIES:
        content = _jpeg_at(quality, pixels)
        if len(content) <= budget:
            break
    return content


def _jpeg_at(quality: int, pixels: Image.Image) -> bytes:
    return _saved(pixels, format="JPEG", quality=quality, optimize=True, progressive=True)


def _png(pixels: Image.Image) -> bytes:
    """Exact if that is light enough, else in 256 colours."""
    exact = _lossless(pixels)
    if len(exact) <= ENOUGH:
        return exact
    method = Image.Quantize.FASTOCTREE if pixels.mode == "RGBA" else Image.Quantize.MEDIANCUT
    fewer = _saved(pixels.quantize(_INDEXED, method=method), format="PNG", optimize=True)
    return fewer if len(fewer) < len(exact) * 0.7 else exact


def _lossless(pixels: Image.Image) -> bytes:
    exact = _saved(pixels, format="PNG")
    if pixels.mode == "RGB" and (colours := pixels.getcolors(_INDEXED)):
        palette = pixels.quantize(len(colours), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        if palette.convert("RGB").tobytes() == pixels.tobytes():
            exact = min(exact, _saved(palette, format="PNG", optimize=True), key=len)
    return exact


def _gif(picture: Picture) -> bytes:
    how: dict[str, Any] = {"loop": picture.loops} if picture.loops != 1 else {}
    return _saved_frames(picture, format="GIF", optimize=True, disposal=2 if picture.has_alpha else 1, **how)


def _webp(pixels: Image.Image, *, is_flat: bool) -> bytes:
    lossy = _saved(pixels, format="WEBP", quality=_WEBP, method=5)
    return min(lossy, _saved(pixels, format="WEBP", lossless=True, method=5), key=len) if is_flat else lossy


def _saved_moving(picture: Picture) -> bytes:
    return _saved_frames(picture, format="WEBP", quality=_WEBP, method=3, loop=picture.loops)


def _saved_frames(picture: Picture, **how: Any) -> bytes:
    return _saved(
        picture.first, save_all=True, append_images=picture.frames[1:], duration=list(picture.durations), **how
    )


def _narrowed(pixels: Image.Image, width: int) -> Image.Image:
    if width >= pixels.width:
        return pixels
    return pixels.resize((width, max(1, round(pixels.height * width / pixels.width))), Image.Resampling.LANCZOS)


def _saved(pixels: Image.Image, **how: Any) -> bytes:
    made = BytesIO()
    pixels.save(made, **how)
    return made.getvalue()


def _ending(content: bytes) -> str:
    return "png" if content.startswith(b"\x89PNG") else "jpg"


def _file(suffix: str, content: bytes, pixels: Image.Image, purpose: MediaPurpose) -> File:
    return File(suffix, content, pixels.width, pixels.height, purpose)

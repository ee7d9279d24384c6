"""Pictures for tests, drawn when they are asked for."""

from io import BytesIO
from typing import Any
from zlib import crc32

from PIL import Image, ImageDraw


def saved(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    made = BytesIO()
    picture.save(made, kind, **how)
    return made.getvalue()


def photo(width: int = 1600, height: int = 1000) -> Image.Image:
    """Many colours, soft edges."""
    noise = Image.effect_noise((max(1, width // 8), max(1, height // 8)), 80).resize((width, height))
    slope = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (noise, slope, Image.blend(noise, slope, 0.5)))


def drawing(width: int = 1600, height: int = 1000) -> Image.Image:
    """Two colours, sharp edges."""
    made = Image.new("RGB", (width, height), "#fffdf9")
    ImageDraw.Draw(made).rectangle((width // 4, height // 4, width // 2, height // 2), fill="#8a4b2d")
    return made


def moving(frames: int = 4, width: int = 300, height: int = 200, kind: str = "GIF") -> bytes:
    drawn = [Image.new("RGB", (width, height), (60 * (number % 4), 0, number % 250)) for number in range(frames)]
    return saved(drawn[0], kind, save_all=True, append_images=drawn[1:], duration=80, loop=0)


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of a few hundred bytes that says it is that large."""
    small = saved(Image.new("RGB", (1, 1)))
    header = small.index(b"IHDR") + 4
    chunk = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + small[header + 8 : header + 13]
    return small[: header - 4] + chunk + crc32(chunk).to_bytes(4) + small[header + 17 :]

"""The logo of the demo's publication, drawn when it is needed: a page, and the thread that keeps the place."""

from io import BytesIO

from PIL import Image, ImageDraw

SIZE = 320
_FINE = 4  # drawn so much larger, then made smaller: smooth edges
_PAPER = "#fffdf9"


def draw(accent: str) -> bytes:
    """A square PNG that reads well at 20 pixels, on light and on dark."""
    side = SIZE * _FINE
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=side * 0.22, fill=accent)
    _page(pen, side, accent)
    _thread(pen, side, accent)
    made = BytesIO()
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(made, "PNG", optimize=True)
    return made.getvalue()


def _page(pen: ImageDraw.ImageDraw, side: int, accent: str) -> None:
    left, top, right, bottom = (side * part for part in (0.20, 0.15, 0.80, 0.85))
    pen.rounded_rectangle((left, top, right, bottom), radius=side * 0.045, fill=_PAPER)
    faint = Image.blend(Image.new("RGB", (1, 1), accent), Image.new("RGB", (1, 1), _PAPER), 0.62).getpixel((0, 0))
    for row, length in enumerate((0.22, 0.22, 0.22, 0.42)):
        height = side * (0.29 + row * 0.125)
        line = (side * 0.28, height, side * (0.28 + length), height + side * 0.042)
        pen.rounded_rectangle(line, radius=side * 0.021, fill=faint)


def _thread(pen: ImageDraw.ImageDraw, side: int, accent: str) -> None:
    """A ribbon over the page, cut to a swallowtail."""
    left, right, top, bottom = (side * part for part in (0.59, 0.70, 0.15, 0.60))
    pen.polygon(
        [(left, top), (right, top), (right, bottom), ((left + right) / 2, bottom - side * 0.06), (left, bottom)],
        fill=accent,
    )

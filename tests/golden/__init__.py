"""The golden post: every element there is, and what each rendering makes of it."""

from functools import cache
from pathlib import Path

import emails
from emails.values import Access
from tests.emails.samples import THEME, content

HERE = Path(__file__).parent
SOURCE = HERE / "post.md"
ADDRESS = "https://letters.example.org"


def post() -> emails.PostContent:
    source = emails.read_post(SOURCE.read_text())
    front = source.front
    return content(
        title=front.title,
        subtitle=front.subtitle,
        subject=front.subject,
        preheader=front.preheader,
        authors=front.authors,
        series=front.series,
        series_number=front.number,
        previous_in_series=("How a letter is folded (#6)", f"{ADDRESS}/p/6"),
        next_in_series=("How a letter is sealed (#8)", f"{ADDRESS}/p/8"),
        access=Access(front.audience),
        doors={
            "comment": f"{ADDRESS}/p/a-letter#comments",
            "like": f"{ADDRESS}/p/a-letter/like",
            "reply": "mailto:answers@letters.example.org",
            "gift": f"{ADDRESS}/gift",
        },
        date=front.date,
        document=emails.parse(source.body, source.body_line),
    )


@cache
def renderings(audience: emails.Audience) -> dict[str, str]:
    """By file name."""
    said = post()
    compiled = emails.compile_post(said, THEME, audience)
    made = {f"page.{audience}.html": emails.render_web(said, theme=THEME, audience=audience)}
    if audience is not emails.Audience.STRANGER:  # who gets no mail
        made |= {f"letter.{audience}.html": compiled.html, f"letter.{audience}.txt": compiled.text}
    return made

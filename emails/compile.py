"""A post into a letter: tree > MJML > HTML > inlined, and tree > text. Once per mailing, whoever it goes to."""

from emails import folding, footer
from emails.check import missing
from emails.dates import long_date
from emails.inline import inline
from emails.mjml import address_line, block_sizes, byline, post_html, rules, series_line, site_name
from emails.personalise import guard, settle
from emails.subject import subject_template, title_of
from emails.text import TextPart, underlined
from emails.values import Audience, Compiled, PostContent, Rendering, Theme
from emails.visible import visible
from emails.web import render_web
from emails.wrapping import wrap

LONGEST_PREHEADER = 140


def compile_post(content: PostContent, theme: Theme, audience: Audience) -> Compiled:
    """The letter that every reader of this audience gets, but for what the merge marks stand for.

    It proves that page, mail and text say the same; what one of them lacks is named in `missing`. Is it larger than
    its content may be, it ends at an earlier border with a way on to its page.
    """
    whole = _compiled(content, theme, audience)
    if content.fold_over is None or whole.size <= content.fold_over:
        return whole
    weights = block_sizes(content, theme, audience)
    return folding.folded(content, audience, whole, lambda shorter: _compiled(shorter, theme, audience), weights)


def _compiled(content: PostContent, theme: Theme, audience: Audience) -> Compiled:
    subject = content.subject or content.title
    in_mail = visible(content, Rendering.MAIL, audience)
    html = settle(inline(post_html(in_mail, theme, audience, title_of(subject), preheader_of(in_mail)), rules(theme)))
    text = settle(post_text(visible(content, Rendering.TEXT, audience), theme, audience))
    page = render_web(content, theme=theme, audience=audience)
    lacking = missing(content, audience, page=page, html=html, text=text)
    return Compiled(settle(subject_template(subject)), html, text, tuple(lacking))


def preheader_of(content: PostContent) -> str:
    """The words an inbox shows beside the subject."""
    words = content.preheader or content.subtitle or content.document.opening
    return words if len(words) <= LONGEST_PREHEADER else words[: LONGEST_PREHEADER - 1].rsplit(" ", 1)[0] + "…"


def post_text(content: PostContent, theme: Theme, audience: Audience) -> str:
    about = [byline(content), long_date(content.date), series_line(content)]
    head = [
        wrap(guard(theme.publication_name)),
        underlined(guard(content.title), "=") + (wrap(guard(content.subtitle)) if content.subtitle else []),
        [*wrap(guard(" · ".join(filter(None, about)))), "Read on the web: __VIEW_URL__"],
    ]
    foot = [["-" * 20]]
    if content.previous_in_series:
        title, url = content.previous_in_series
        foot.insert(0, [*wrap(guard(f"Before this: {title}")), guard(url)])
    foot += [wrap(part) for part in footer.text(theme.footer).split("\n\n") if part]
    foot += [
        wrap(guard(f"You get this because you signed up for {theme.name} at {site_name(theme)}.")),
        ["Change what you get:", "__PREFERENCES_URL__"],
        ["Leave this newsletter:", "__UNSUBSCRIBE_URL__"],
    ]
    if theme.postal_address:
        foot.append(wrap(guard(address_line(theme))))
    body = TextPart(content, theme, audience).body()
    return "\n\n".join([*map("\n".join, head), body, *map("\n".join, foot)]) + "\n"

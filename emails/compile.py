"""A post into a letter: tree > MJML > HTML > inlined, and tree > text. Once per mailing, whoever it goes to."""

from emails.inline import inline
from emails.markup import long_date
from emails.mjml import address_line, byline, post_html, rules, series_line, site_name
from emails.personalise import guard, settle
from emails.subject import subject_template, title_of
from emails.text import TextPart, underlined
from emails.values import Audience, Compiled, PostContent, Theme
from emails.wrapping import wrap

LONGEST_PREHEADER = 140


def compile_post(content: PostContent, theme: Theme, audience: Audience) -> Compiled:
    """The letter that every reader of this audience gets, but for what the merge marks stand for."""
    subject = content.subject or content.title
    html = post_html(content, theme, audience, title_of(subject), preheader_of(content))
    return Compiled(
        subject=settle(subject_template(subject)),
        html=settle(inline(html, rules(theme))),
        text=settle(post_text(content, theme, audience)),
    )


def preheader_of(content: PostContent) -> str:
    """The words an inbox shows beside the subject."""
    words = content.preheader or content.subtitle or content.document.opening
    return words if len(words) <= LONGEST_PREHEADER else words[: LONGEST_PREHEADER - 1].rsplit(" ", 1)[0] + "…"


def post_text(content: PostContent, theme: Theme, audience: Audience) -> str:
    share_url = content.share_url or content.url
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
    foot += [
        wrap(guard(f"You get this because you signed up for {theme.name} at {site_name(theme)}.")),
        ["Change what you get:", "__PREFERENCES_URL__"],
        ["Leave this newsletter:", "__UNSUBSCRIBE_URL__"],
    ]
    if theme.postal_address:
        foot.append(wrap(guard(address_line(theme))))
    body = TextPart(theme, audience, share_url).body(content.document)
    return "\n\n".join([*map("\n".join, head), body, *map("\n".join, foot)]) + "\n"

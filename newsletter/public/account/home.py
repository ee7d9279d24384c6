"""The account: who this is, what they hold, and where they are signed in."""

from flask import render_template, request

from newsletter import browsers
from newsletter.public import bp
from newsletter.public.account import door
from newsletter.public.account.door import Page
from newsletter.public.account.holding import holdings
from newsletter.subscribers import letters, private_feed, sessions
from newsletter.tiers.models import Tier

SAID = {
    "signed-out": "That browser is signed out.",
    "cancelled": "Cancelled. Nothing more is charged, and a letter confirms it.",
    "stays": "Thank you for staying. The next payments cost less.",
    "kept": "The cancellation is taken back: it goes on as before.",
    "switched": "Switched. A letter tells you what you hold now.",
    "paused": "Paused. Nothing is charged until then.",
    "resumed": "It goes on.",
    "feed": "Here is the address of your feed. An earlier one leads nowhere any more.",
    "seat-back": "Given back: whoever pays for it can offer it to somebody else.",
    "no-feed": "Your feed is switched off.",
}


@bp.get("/account")
@door.required
def account() -> Page:
    return page(said=SAID.get(request.args.get("said", ""), ""))


def page(*, said: str = "", sentence: str = "") -> str:
    reader = door.reader()
    return render_template(
        "public/account/home.html",
        reader=reader,
        preferences_url=letters.preferences_url(reader.id),
        holdings=holdings(reader),
        browsers=[(each, browsers.named(each.user_agent)) for each in sessions.of(reader)],
        here=door.session().id,
        feed_url=private_feed.url(reader),
        proof=door.proof(),
        is_for_sale=Tier.any_on_offer(),
        said=said,
        sentence=sentence,
    )

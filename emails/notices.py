"""Mail we owe one person: short, plain, and certain about who asked and what happens if nothing is done."""

import re
from collections.abc import Mapping
from functools import lru_cache

from jinja2 import TemplateNotFound

from emails.inline import inline
from emails.mjml import draft, environment, filled, frame, from_mjml, rules
from emails.personalise import settle
from emails.values import Compiled, Theme
from emails.wrapping import wrap

NOTICES = (
    *("confirm", "welcome", "already_subscribed", "address_code", "address_changed", "erase_code", "sign_in"),
    *("member_welcome", "receipt", "trial_ending", "payment_failed", "card_expiring"),
    *("membership_cancelled", "membership_ended", "membership_changed", "gift", "seat", "given_ending", "win_back"),
    "price_change",
    *("held", "reply", "member_news"),
)


def compile_notice(name: str, values: Mapping[str, object], theme: Theme) -> Compiled:
    """A notice with its values filled in; its subject is the first line of its text. What each needs:

    confirm             address, confirm_url, refuse_url, days
    welcome             address, archive_url, preferences_url, unsubscribe_url
    already_subscribed  address, preferences_url
    address_code        address (the new one), old_address, code, minutes
    address_changed     address (the new one), old_address, undo_url, days
    erase_code          address, code, minutes
    sign_in             code, sign_in_url, minutes
    held                title, because, mailing_url
    member_welcome      tier, benefits, is_seat, trial_until and given_until (may be empty), next_date, next_amount,
                        archive_url
    receipt             tier, support (paid once), gift_url and gift_words (may be empty), amount, tax, date, number,
                        invoice_url, next_date, next_amount
    trial_ending        tier, date, amount, account_url
    payment_failed      tier, amount, pay_url, until, attempt (1, 2, 3)
    card_expiring       tier, card, date, account_url
    membership_cancelled tier, until, account_url
    membership_ended    tier, because (may be empty), support_url
    membership_changed  tier, before, amount (empty: somebody else pays), next_date, archive_url
    gift                giver, tier, span, lines (may be none), gift_url, is_reminder
    seat                payer, tier, seat_url
    price_change        tier, amount, new_amount, date, is_off (it does not come), account_url
    given_ending        tier, date, support_url
    win_back            tier, words (what it costs), offer_url, unsubscribe_url
    member_news         headline, lines, url (may be empty)
    reply               sender, regarding, title (of the issue; may be empty), lines

    Those about money also take preferences_url; all that is money or a date comes written out.
    The first three take `newsletters`, a list of names, where it is not just the theme's.
    A value that a template needs and does not get is an UndefinedError: a notice with a hole never leaves.
    """
    if name not in NOTICES:
        raise TemplateNotFound(name)
    text = environment.get_template(f"{name}.txt").render({**frame(theme), **values})
    subject, _, body = text.partition("\n")
    source, written = draft(f"{name}.mjml", theme, subject, dict(values))
    return Compiled(
        subject=settle(subject.strip()),
        html=settle(filled(_finished(source, rules(theme)), written)),
        text=settle(_wrapped(body)),
    )


@lru_cache(maxsize=32)
def _finished(source: str, inlined: str) -> str:
    """A notice as HTML, before it has its values: the same for thousands of sign-ups."""
    return inline(from_mjml(source), inlined)


def _wrapped(text: str) -> str:
    """Paragraphs filled to the margin; what is indented stays as it is."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    filled = ["\n".join([part] if part.startswith("  ") else wrap(" ".join(part.split()))) for part in paragraphs]
    return "\n\n".join(filled) + "\n"

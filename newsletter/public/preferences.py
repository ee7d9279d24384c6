"""What a reader changes without signing in. The link may have been forwarded: it shows little, and proves little."""

import calendar
from datetime import date, datetime, time

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, links
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.links import Purpose
from newsletter.public import bp, forms, frame
from newsletter.subscribers import addresses, codes, leaving, preferences
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import Subscriber

Page = str | tuple[str, int] | Response

SAID = {
    "newsletters": "Saved. This is what you get from now on.",
    "name": "Saved. This is how you are called from now on.",
    "paused": "Paused. Nothing is sent to you until then.",
    "resumed": "The pause is over: the next issue comes to you.",
    "address": "Your letters go to the new address from now on. We told the old one.",
}
WORDING = "What you tick here is what you get, from the next issue on."


@bp.get("/preferences/<token>")
def preferences_page(token: str) -> Page:
    subscriber = _reader(token, lock=False)
    return _page(token, subscriber, said=SAID.get(request.args.get("saved", ""), ""))


@bp.post("/preferences/<token>/newsletters")
def choose(token: str) -> Page:
    subscriber = _reader(token)
    chosen = set(request.form.getlist("newsletter"))
    wanted = [newsletter for newsletter in frame.newsletters() if newsletter.slug in chosen]
    preferences.choose(subscriber, wanted, wording=WORDING, origin=forms.origin())
    return _saved(token, "newsletters")


@bp.post("/preferences/<token>/name")
def rename(token: str) -> Page:
    preferences.rename(_reader(token), request.form.get("name", ""))
    return _saved(token, "name")


@bp.post("/preferences/<token>/pause")
def pause(token: str) -> Page:
    subscriber = _reader(token)
    try:
        preferences.pause(subscriber, _until(), origin=forms.origin())
    except preferences.BadPause as error:
        return _refused(token, subscriber, "pause", error)
    return _saved(token, "paused")


@bp.post("/preferences/<token>/resume")
def resume(token: str) -> Page:
    preferences.resume(_reader(token), origin=forms.origin())
    return _saved(token, "resumed")


@bp.post("/preferences/<token>/address")
def ask_new_address(token: str) -> Page:
    subscriber = _reader(token)
    try:
        preferences.ask_new_address(subscriber, Address.read(request.form.get("email", "")))
    except NewsletterError as error:
        return _refused(token, subscriber, "address", error)
    db.session.commit()
    return redirect(url_for(".address_code_page", token=token), 303)


@bp.get("/preferences/<token>/address")
def address_code_page(token: str) -> Page:
    return _code_page(token, _reader(token, lock=False), codes.ADDRESS)


@bp.post("/preferences/<token>/address/code")
def change_address(token: str) -> Page:
    subscriber = _reader(token)
    try:
        preferences.change_address(subscriber, request.form.get("code", ""), forms.origin())
    except NewsletterError as error:
        return _code_page(token, subscriber, codes.ADDRESS, error)
    return _saved(token, "address")


@bp.post("/preferences/<token>/erase")
def ask_erasure(token: str) -> Page:
    subscriber = _reader(token)
    try:
        preferences.ask_erasure(subscriber)
    except NewsletterError as error:
        return _refused(token, subscriber, "erase", error)
    db.session.commit()
    return redirect(url_for(".erase_code_page", token=token), 303)


@bp.get("/preferences/<token>/erase")
def erase_code_page(token: str) -> Page:
    return _code_page(token, _reader(token, lock=False), codes.ERASE)


@bp.post("/preferences/<token>/erase/code")
def erase(token: str) -> Page:
    subscriber = _reader(token)
    try:
        preferences.erase(subscriber, request.form.get("code", ""))
    except NewsletterError as error:
        return _code_page(token, subscriber, codes.ERASE, error)
    db.session.commit()
    return render_template("public/preferences/erased.html")


def _reader(token: str, *, lock: bool = True) -> Subscriber:
    """Whose link this is. Raises BadLink, for someone we have forgotten as well."""
    (subscriber_id,) = links.read(Purpose.PREFERENCES, token)
    subscriber = leaving.locked(subscriber_id) if lock else db.session.get(Subscriber, subscriber_id)
    if subscriber is None or subscriber.email is None:
        raise links.BadLink
    return subscriber


def _page(token: str, subscriber: Subscriber, *, said: str = "", refused: dict[str, str] | None = None) -> str:
    return render_template(
        "public/preferences/page.html",
        token=token,
        masked=addresses.masked(subscriber.email or ""),
        on={newsletter.id for newsletter in subscriber.newsletters},
        paused_until=_pause_of(subscriber),
        is_suppressed=bool(subscriber.suppressed_at),
        wording=WORDING,
        said=said,
        refused=refused or {},
        given=request.form,
        earliest=clock.now().astimezone(frame.publication().zone).date(),
    )


def _code_page(token: str, subscriber: Subscriber, purpose: str, error: NewsletterError | None = None) -> Page:
    """Where a code is typed. A wrong one has been counted: that must be kept."""
    waiting = codes.waiting(subscriber, purpose)
    email = waiting.values.get("email", subscriber.email) if waiting else ""
    db.session.commit()
    page = render_template(
        f"public/preferences/{purpose}_code.html",
        token=token,
        masked=addresses.masked(email) if email else "",
        minutes=codes.LASTS.seconds // 60,
        sentence=error.sentence if error else "",
    )
    return (page, error.status) if error else page


def _saved(token: str, what: str) -> Response:
    db.session.commit()
    return redirect(url_for(".preferences_page", token=token, saved=what), 303)


def _refused(token: str, subscriber: Subscriber, field: str, error: NewsletterError) -> tuple[str, int]:
    return _page(token, subscriber, refused={field: error.sentence}), error.status


def _pause_of(subscriber: Subscriber) -> datetime | None:
    return subscriber.paused_until if subscriber.paused_until and subscriber.paused_until > clock.now() else None


def _until() -> datetime:
    """The first moment of the day that was chosen, where the publication lives. Raises BadPause."""
    zone = frame.publication().zone
    today = clock.now().astimezone(zone).date()
    choice = request.form.get("until", "date")
    if choice in {"1", "3"}:
        chosen = _months_later(today, int(choice))
    else:
        try:
            chosen = date.fromisoformat(request.form.get("date", ""))
        except ValueError:
            raise preferences.BadPause("Choose until when to pause.") from None
    return datetime.combine(chosen, time.min, zone)


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))

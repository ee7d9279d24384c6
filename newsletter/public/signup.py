"""Sign up, confirm, or say “this was not me”. A GET changes nothing: mail scanners follow links."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.guards import limiter
from newsletter.public import bp, forms, frame, network
from newsletter.public.forms import SignUpForm
from newsletter.subscribers import addresses, letters, signup

Page = str | tuple[str, int] | Response

# A lecture hall signs up from one network within minutes; a flood does not look like a lecture hall for long.
FROM_A_NETWORK = "60 per hour; 300 per day"
FROM_A_NETWORK_BY_OTHER_SITES = "20 per hour"
FROM_EVERYBODY = "2000 per hour"


def limited(view: Callable[[], Page]) -> Callable[[], Page]:
    """All sign-up forms share one budget for each network, and one for the whole house."""
    by_network = limiter.shared_limit(FROM_A_NETWORK, scope="sign-up", key_func=network.of_visitor)
    by_other_sites = limiter.shared_limit(
        FROM_A_NETWORK_BY_OTHER_SITES,
        scope="sign-up elsewhere",
        key_func=network.of_visitor,
        exempt_when=forms.has_token,
    )
    by_everybody = limiter.shared_limit(FROM_EVERYBODY, scope="sign-up", key_func=lambda: "everybody")
    held: Callable[[], Page] = by_network(by_other_sites(by_everybody(view)))
    return held


@bp.get("/subscribe")
def subscribe_page() -> Page:
    return render_template("public/subscribe.html")


@bp.post("/subscribe")
@limited
def subscribe() -> Page:
    return take("public/subscribe.html", url_for(".look_in_your_inbox"))


@bp.get("/subscribe/inbox")
def look_in_your_inbox() -> Page:
    return render_template("public/look_in_your_inbox.html")


def take(template: str, thanks: str) -> Page:
    """Sign up whoever filled in the form; the answer is the same for every address."""
    form = SignUpForm.read(request.form, frame.newsletters())
    if form.is_trapped:
        return redirect(thanks, 303)
    sentence = form.doubt
    if not sentence:
        try:
            signup.sign_up(form.filled_in())
        except (addresses.BadAddress, signup.NothingChosen) as error:
            sentence = error.sentence
    if sentence:
        return render_template(template, form=form.again(), sentence=sentence), 422
    db.session.commit()
    return redirect(thanks, 303)


@bp.get("/confirm/<token>")
def confirm_page(token: str) -> Page:
    try:
        request_ = signup.asked_by(token)
    except (signup.LinkExpired, signup.NoLongerOurs) as error:
        return _too_late(error)
    return render_template("public/confirm.html", asked=request_, masked=addresses.masked(request_.notice.address))


@bp.post("/confirm/<token>")
def confirm(token: str) -> Page:
    try:
        request_ = signup.confirm(token, forms.origin())
    except (signup.LinkExpired, signup.NoLongerOurs) as error:
        return _too_late(error)
    db.session.commit()
    return render_template(
        "public/confirmed.html",
        subscriber=request_.subscriber,
        preferences_url=letters.preferences_url(request_.subscriber.id),
    )


@bp.get("/refuse/<token>")
def refuse_page(token: str) -> Page:
    request_ = signup.refusable(token)
    masked = addresses.masked(request_.notice.address) if request_ else ""
    return render_template("public/refuse.html", asked=request_, masked=masked)


@bp.post("/refuse/<token>")
def refuse(token: str) -> Page:
    signup.refuse(token)
    db.session.commit()
    return render_template("public/refused.html")


def _too_late(error: NewsletterError) -> Page:
    return render_template("public/subscribe.html", sentence=error.sentence), error.status

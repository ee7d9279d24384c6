"""Readers: found, added, taken off, and each with what passed between them and us."""

from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from newsletter import clock
from newsletter.accounts import audit
from newsletter.accounts.models import Role
from newsletter.admin import bp, guard
from newsletter.admin.forms import AddReaderForm
from newsletter.billing import telling
from newsletter.db import db
from newsletter.errors import NewsletterError, NotFound
from newsletter.publication.models import Newsletter, Publication
from newsletter.sending import queries as sends
from newsletter.sending import returned
from newsletter.subscribers import by_hand, consent, leaving, queries, signup
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.models import Subscriber, SubscriberState
from newsletter.tiers import giving
from newsletter.tiers import queries as tiers
from newsletter.tiers.models import Membership, MembershipKind, MembershipState, Tier

STATES: Final = {
    SubscriberState.ACTIVE: "Active",
    SubscriberState.PENDING: "Asked to confirm",
    SubscriberState.PAUSED: "Paused",
    SubscriberState.LEFT: "Left",
    SubscriberState.SUPPRESSED: "Never written to",
    SubscriberState.ERASED: "Erased",
}
HOW: Final = {
    MembershipKind.COMPLIMENTARY: "given by hand",
    MembershipKind.GIFT: "a gift of another reader",
    MembershipKind.SEAT: "a seat that somebody else pays for",
}
STANDS: Final = {
    MembershipState.TRIALING: "on trial",
    MembershipState.PAST_DUE: "the last payment failed",
    MembershipState.UNPAID: "the last payment failed",
    MembershipState.CANCELLED: "cancelled",
    MembershipState.PAUSED: "paused",
}


@dataclass(frozen=True)
class Search:
    """What is looked for, as the address of the page says it; anything unknown is left out."""

    words: str
    state: SubscriberState | None
    newsletter_id: int | None
    tag: str

    @classmethod
    def read(cls, tags: list[str]) -> "Search":
        state, tag = request.args.get("state", ""), request.args.get("tag", "")
        return cls(
            words=request.args.get("words", "").strip()[:200],
            state=SubscriberState(state) if state in set(SubscriberState) else None,
            newsletter_id=request.args.get("newsletter", type=int),
            tag=tag if tag in tags else "",
        )

    def address(self, **other: object) -> str:
        """The page with one thing changed."""
        asked = {
            "words": self.words,
            "state": self.state.value if self.state else "",
            "newsletter": self.newsletter_id,
            "tag": self.tag,
            **other,
        }
        return url_for(".readers", **{name: value for name, value in asked.items() if value})  # type: ignore[arg-type]  # none of them is an option of url_for


@bp.get("/readers")
def readers() -> str:
    tags = queries.tags()
    search = Search.read(tags)
    page = queries.search(
        search.words, search.state, search.newsletter_id, request.args.get("after", type=int), tag=search.tag
    )
    return render_template(
        "admin/readers/list.html",
        search=search,
        page=page,
        found=queries.matching(search.words, search.state, search.newsletter_id, search.tag),
        counts=queries.counts(),
        states=STATES,
        newsletters=Newsletter.open(),
        tags=tags,
    )


@bp.route("/readers/add", methods=["GET", "POST"])
def add_reader() -> ResponseReturnValue:
    form = AddReaderForm(request.form)
    open_ones = Newsletter.open()
    form.newsletters.choices = {str(newsletter.id): newsletter.name for newsletter in open_ones}
    if request.method == "GET":
        form.newsletters.data = [newsletter.id for newsletter in open_ones[:1]]
        return _add_page(form)
    if not form.validate():
        return _add_page(form), 422
    chosen = [newsletter for newsletter in open_ones if newsletter.id in (form.newsletters.data or [])]
    try:
        return _ask(form, chosen) if form.consent.data == "ask" else _vouch(form, chosen)
    except NewsletterError as error:
        db.session.rollback()
        form.email.errors = [error.sentence]
        return _add_page(form), 422


@bp.get("/readers/<int:subscriber_id>")
def reader(subscriber_id: int) -> str:
    found = find(subscriber_id)
    return render_template(
        "admin/readers/reader.html",
        reader=found,
        states=STATES,
        lines=queries.history(found),
        deliveries=sends.history_of(found.id),
        came_back=returned.of_reader(found.id),
        memberships=[(held, _how(held)) for held in tiers.of_subscriber(found.id)],
        now=clock.now(),
        tiers=Tier.in_order() if guard.staff().role is Role.OWNER else [],
        spans=giving.SPANS,
    )


@bp.post("/readers/<int:subscriber_id>/take-off")
def take_off(subscriber_id: int) -> ResponseReturnValue:
    left = by_hand.take_off(find(subscriber_id))
    audit.record("took a reader off all newsletters", f"reader {subscriber_id}", by=guard.staff())
    db.session.commit()
    if left.undo_token:
        undo = url_for(".put_back", subscriber_id=subscriber_id, token=left.undo_token)
        flash({"text": "Taken off all newsletters.", "undo": undo})  # type: ignore[arg-type]  # the session keeps any JSON
    return redirect(url_for(".reader", subscriber_id=subscriber_id))


@bp.post("/readers/<int:subscriber_id>/put-back/<token>")
def put_back(subscriber_id: int, token: str) -> ResponseReturnValue:
    back = leaving.undo_leave(token)
    db.session.commit()
    flash("Back on the newsletters they had." if back else "That was too long ago to be undone here.")
    return redirect(url_for(".reader", subscriber_id=subscriber_id))


@bp.post("/readers/<int:subscriber_id>/never-again")
def never_write_again(subscriber_id: int) -> ResponseReturnValue:
    by_hand.never_write_again(find(subscriber_id))
    audit.record("will never write to a reader again", f"reader {subscriber_id}", by=guard.staff())
    db.session.commit()
    flash("This address is never written to again.")
    return redirect(url_for(".reader", subscriber_id=subscriber_id))


def _how(held: Membership) -> str:
    """How they came to hold it, and how it stands with that."""
    if held.kind is not MembershipKind.PAID:
        return HOW[held.kind]
    return ", ".join(words for words in (f"paid, {telling.price(held)}", STANDS.get(held.state, "")) if words)


def find(subscriber_id: int) -> Subscriber:
    """Raises NotFound, with a sentence."""
    found = queries.one(subscriber_id)
    if found is None:
        raise NotFound("There is no such reader.")
    return found


def _ask(form: AddReaderForm, newsletters: list[Newsletter]) -> ResponseReturnValue:
    address = Address.read(form.email.data or "")
    wording = consent.wording(Publication.current().name, [newsletter.name for newsletter in newsletters])
    signup.sign_up(
        signup.SignUp(
            address=address,
            newsletters=newsletters,
            name=form.name.data or "",
            wording=f"Asked by the staff of the publication. {wording}",
        )
    )
    audit.record("asked somebody to confirm", by=guard.staff())
    db.session.commit()
    flash(f"{address.email} is asked to confirm, at most once a day. Nothing else is sent until they do.")
    return redirect(url_for(".readers"))


def _vouch(form: AddReaderForm, newsletters: list[Newsletter]) -> ResponseReturnValue:
    added = by_hand.vouch(
        Address.read(form.email.data or ""),
        newsletters,
        name=form.name.data or "",
        source=form.source.data or "",
        staff_id=guard.staff().id,
    )
    audit.record("added a reader by hand", f"reader {added.id}", by=guard.staff())
    db.session.commit()
    flash("Added. They get the next issue.")
    return redirect(url_for(".reader", subscriber_id=added.id))


def _add_page(form: AddReaderForm) -> str:
    return render_template("admin/readers/add.html", form=form)

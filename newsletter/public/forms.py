"""The sign-up form as it is shown, and as it comes back: from a person, a stale page, another site, or a machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from flask import request
from werkzeug.datastructures import MultiDict

from newsletter import links
from newsletter.links import BadLink, Purpose
from newsletter.public import network
from newsletter.publication.models import Newsletter
from newsletter.subscribers import consent
from newsletter.subscribers.addresses import Address
from newsletter.subscribers.consent import Origin
from newsletter.subscribers.signup import SignUp

TRAP = "website"  # a field no person sees: whatever fills it in is a machine
FASTEST = 2  # seconds
LONGEST = 3 * 24 * 3600  # a page may come from a cache or stay open over the weekend


@dataclass(frozen=True, kw_only=True)
class SignUpForm:
    offered: Sequence[Newsletter]
    chosen: frozenset[str]
    token: str
    email: str = ""
    name: str = ""
    is_trapped: bool = False

    @classmethod
    def blank(cls, offered: Sequence[Newsletter], chosen: Newsletter | None = None) -> Self:
        """A fresh form, with the newsletter of the page it stands on, or the first, ticked."""
        ticked = chosen or (offered[0] if offered else None)
        slugs = frozenset({ticked.slug}) if ticked else frozenset[str]()
        return cls(offered=offered, chosen=slugs, token=_fresh_token())

    @classmethod
    def read(cls, fields: MultiDict[str, str], open_newsletters: Sequence[Newsletter]) -> Self:
        named = {slug for part in fields.getlist("offered") for slug in part.split()}
        offered = [newsletter for newsletter in open_newsletters if newsletter.slug in named] or list(open_newsletters)
        chosen = frozenset(fields.getlist("newsletter"))
        return cls(
            offered=offered,
            chosen=chosen if len(offered) > 1 or chosen else frozenset({newsletter.slug for newsletter in offered}),
            token=fields.get("token", ""),
            email=fields.get("email", "")[:1000],
            name=fields.get("name", "")[:1000],
            is_trapped=bool(fields.get(TRAP)),
        )

    def again(self) -> Self:
        """The same answers on a fresh form."""
        return replace(self, token=_fresh_token())

    @property
    def wording(self) -> str:
        name = self.offered[0].publication.name if self.offered else ""
        return consent.wording(name, [newsletter.name for newsletter in self.offered])

    @property
    def doubt(self) -> str:
        """Why the button has to be pressed once more: a sentence, or nothing."""
        age = _age(self.token)
        if age is None:  # a form on another site, which has no token: it gets a smaller share instead
            return ""
        if age < FASTEST:
            return "That was very quick. Press the button once more, so that we know you are a person."
        if age > LONGEST:
            return "This page had been open for days. Press the button once more, and it is done."
        return ""

    def filled_in(self) -> SignUp:
        """Raises BadAddress."""
        return SignUp(
            address=Address.read(self.email),
            newsletters=[newsletter for newsletter in self.offered if newsletter.slug in self.chosen],
            name=self.name,
            wording=self.wording,
            origin=origin(),
        )


def origin() -> Origin:
    """Where this request comes from, as far as a proof of consent may remember it."""
    referrer = request.referrer or ""
    return Origin(
        form_url=referrer if referrer.startswith(("http://", "https://")) else "",
        network=network.of_visitor(),
        user_agent=request.user_agent.string,
    )


def has_token() -> bool:
    """Does this request come from a page of ours?"""
    age = _age(request.form.get("token", ""))
    return age is not None and age <= LONGEST


def _fresh_token() -> str:
    return links.sign(Purpose.FORM, int(time.time()))


def _age(token: str) -> float | None:
    try:
        (shown_at,) = links.read(Purpose.FORM, token)
    except (BadLink, ValueError):
        return None
    return time.time() - shown_at

"""The author's account at the provider: its key is tried, sealed, and from then on used."""

from contextlib import suppress

from sqlalchemy import select

from newsletter import clock, config, sealing
from newsletter.billing import counterparts
from newsletter.billing.models import Account
from newsletter.billing.stripe import KeyRefused, Stripe
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.jobs import Job, enqueue
from newsletter.publication.models import Publication

HOOK = "/webhooks/stripe"


class NotReachable(NewsletterError):
    """The provider would have to ring at an address that leads nowhere."""

    status = 422


def connect(publication: Publication, key: str) -> Account:
    """With a webhook of our own, and our tiers made known. Raises KeyRefused, NotReachable, ProviderAway."""
    key = key.strip()
    _check(key)
    stripe = Stripe(key)
    there = stripe.account()
    earlier = Account.connected()
    hook, secret = stripe.make_hook(config.settings().site_url + HOOK)
    if earlier:
        _end(earlier)
    account = _known(publication, there["id"], is_live="_live_" in key)
    _drop_hook(stripe, account.hook_reference)
    account.name, account.country = _name(there), there.get("country") or ""
    account.sealed_key, account.sealed_hook_secret = sealing.seal(key), sealing.seal(secret)
    account.hook_reference, account.disconnected_at = hook, None
    account.trouble, account.trouble_at = "", None
    db.session.flush()
    account.portal_reference = stripe.put_portal(_portal(), f"portal-{account.id}-{there['id']}-{hook}")
    counterparts.keep_in_step(account, stripe)
    if next(stripe.subscriptions(), None):  # there are payers already, of earlier days or of another platform
        enqueue(Job.RECONCILE)
    return account


def disconnect(account: Account) -> None:
    """Nobody new can pay. Who pays there goes on paying, as far as the provider is concerned: say so."""
    _drop_hook(Stripe(sealing.open_(account.sealed_key)), account.hook_reference)
    _end(account)


def _known(publication: Publication, reference: str, *, is_live: bool) -> Account:
    """The same account as before, with all that is paid through it, if it was connected before."""
    of_it = Account.publication_id == publication.id, Account.reference == reference, Account.is_live == is_live
    found = db.session.scalar(select(Account).where(*of_it).order_by(Account.id.desc()).limit(1))
    if found is None:
        found = Account(publication_id=publication.id, reference=reference, is_live=is_live)
        db.session.add(found)
    return found


def _drop_hook(stripe: Stripe, reference: str | None) -> None:
    """A key that was withdrawn there cannot take its hook with it."""
    if reference:
        with suppress(NewsletterError):
            stripe.drop_hook(reference)


def _check(key: str) -> None:
    if not key.startswith(("sk_live_", "sk_test_", "rk_live_", "rk_test_")):
        words = "A secret key begins with sk_live_ or rk_live_ (or _test_, to try it out)."
        raise KeyRefused(f"This is the publishable key. {words}" if key.startswith("pk_") else words)
    settings = config.settings()
    if settings.billing == "on" and not settings.is_https:
        raise NotReachable(
            f"Stripe can tell us of payments only at an https:// address, and SITE_URL is {settings.site_url}."
        )


def _end(account: Account) -> None:
    account.disconnected_at = clock.now()
    account.sealed_key = account.sealed_hook_secret = b""
    db.session.flush()


def _name(there: dict[str, object]) -> str:
    for part in ("business_profile", "settings"):
        inner = there.get(part)
        if isinstance(inner, dict):
            name = inner.get("name") or (inner.get("dashboard") or {}).get("display_name")
            if name:
                return str(name)
    return str(there.get("email") or there["id"])


def _portal() -> dict[str, object]:
    """Its page for cards and invoices. Plans are changed and cancelled here, where it says what that means."""
    return {
        "features": {
            "payment_method_update": {"enabled": True},
            "invoice_history": {"enabled": True},
            "customer_update": {"enabled": True, "allowed_updates": ["name", "address", "tax_id"]},
            "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        }
    }

"""Stripe, through its own SDK: the one module that speaks with it. docs.stripe.com/api, version 2026-10-28."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from newsletter import config, sealing
from newsletter.billing import reading
from newsletter.billing.models import Account
from newsletter.billing.reading import Thing
from newsletter.billing.values import Bell, Bought, Difference, Paid, Payer, Subscribed
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    import stripe  # it weighs 26 MB: a process loads it when it first speaks with Stripe

VERSION: Final = "2026-10-28.endive"
PATIENCE: Final = (5.0, 25.0)  # seconds to connect, and for an answer
RETRIES: Final = 2  # by the SDK, with the same idempotency key
OLDEST_SIGNATURE: Final = 300  # seconds

EVENTS: Final = (
    *(
        "checkout.session." + what
        for what in ("completed", "expired", "async_payment_succeeded", "async_payment_failed")
    ),
    *(
        "customer.subscription." + what
        for what in ("created", "updated", "deleted", "paused", "resumed", "trial_will_end")
    ),
    *("customer." + what for what in ("updated", "deleted")),
    *("invoice." + what for what in ("paid", "payment_failed", "payment_action_required", "upcoming")),
    *("charge." + what for what in ("refunded", "dispute.created", "dispute.closed")),
    *("price." + what for what in ("updated", "deleted")),
    *("product." + what for what in ("updated", "deleted")),
)
_PERMANENT_METHODS = "invoice_settings.default_payment_method"
_CHARGE = "latest_charge.balance_transaction"
_OF_SUBSCRIPTION = ["latest_invoice", "discounts.source.coupon"]


class NotConnected(NewsletterError):
    status = 409

    def __init__(self) -> None:
        super().__init__("No payments can be taken yet: the author has not connected an account for them.")


class ProviderAway(NewsletterError):
    """Not now: what was asked may be asked again with the same result."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The payment provider cannot be reached. Nothing was charged; try again in a minute.")


class KeyRefused(NewsletterError):
    status = 422

    def __init__(self, words: str = "") -> None:
        super().__init__(words or "Stripe does not know this key. Copy it again from your Stripe dashboard.")


class NotThere(NewsletterError):
    """The provider has no such thing (any more)."""

    status = 404


class TurnedDown(NewsletterError):
    """The provider says no, and why."""

    status = 422


class NotGenuine(NewsletterError):
    """A call that claims to be the provider's, and is not, or is too old."""

    status = 400


class Stripe:
    """One account there."""

    def __init__(self, key: str) -> None:
        self._key = key

    @cached_property
    def _v1(self) -> stripe.V1Services:
        import stripe

        client = stripe.StripeClient(
            self._key,
            stripe_version=VERSION,
            base_addresses={"api": base} if (base := _base()) else {},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=PATIENCE),
        )
        return client.v1

    # The account and what is on offer

    def account(self) -> Thing:
        with _plain():
            return _whole(self._v1.accounts.retrieve_current())

    def make_hook(self, url: str) -> tuple[str, str]:
        """Its name, and the secret that its calls are signed with."""
        with _plain():
            made = self._v1.webhook_endpoints.create(
                _said({"url": url, "enabled_events": list(EVENTS), "api_version": VERSION, "description": "Newsletter"})
            )
        return made.id, made.secret or ""

    def drop_hook(self, reference: str) -> None:
        with _plain():
            self._v1.webhook_endpoints.delete(reference)

    def put_product(self, reference: str | None, said: Mapping[str, Any], once: str) -> str:
        with _plain():
            if reference:
                return self._v1.products.update(reference, _said(said)).id
            return self._v1.products.create(_said(said), {"idempotency_key": once}).id

    def put_price(self, reference: str | None, said: Mapping[str, Any], once: str) -> str:
        with _plain():
            if reference:
                return self._v1.prices.update(reference, _said(said)).id
            return self._v1.prices.create(_said(said), {"idempotency_key": once}).id

    def put_coupon(self, said: Mapping[str, Any], once: str) -> str:
        with _plain():
            return self._v1.coupons.create(_said(said), {"idempotency_key": once}).id

    def prices_there(self) -> Iterator[Thing]:
        """Every recurring price of the account, ours or not, with its product."""
        with _plain():
            found = self._v1.prices.list({"type": "recurring", "limit": 100, "expand": ["data.product"]})
            for price in found.auto_paging_iter():
                yield _whole(price)

    # What readers do

    def open_checkout(self, said: Mapping[str, Any], once: str) -> Bought:
        with _plain():
            made = self._v1.checkout.sessions.create(_said(said), {"idempotency_key": once})
        return reading.checkout(_whole(made))

    def checkout(self, reference: str) -> Bought:
        with _plain():
            return reading.checkout(_whole(self._v1.checkout.sessions.retrieve(reference)))

    def open_portal(self, customer: str, back: str, configuration: str, flow: str = "") -> str:
        """Where a reader changes the card and sees invoices, once."""
        said: dict[str, Any] = {"customer": customer, "return_url": back}
        if configuration:
            said["configuration"] = configuration
        if flow:
            said["flow_data"] = {"type": flow}
        with _plain():
            return self._v1.billing_portal.sessions.create(_said(said)).url

    def put_portal(self, said: Mapping[str, Any], once: str) -> str:
        with _plain():
            return self._v1.billing_portal.configurations.create(_said(said), {"idempotency_key": once}).id

    # Subscriptions

    def subscription(self, reference: str) -> Subscribed:
        with _plain():
            found = self._v1.subscriptions.retrieve(reference, {"expand": _OF_SUBSCRIPTION})
        return reading.subscription(_whole(found))

    def subscriptions(self) -> Iterator[Subscribed]:
        """All of the account, ended ones too."""
        with _plain():
            found = self._v1.subscriptions.list(
                {"status": "all", "limit": 100, "expand": ["data." + part for part in _OF_SUBSCRIPTION]}
            )
            for each in found.auto_paging_iter():
                yield reading.subscription(_whole(each))

    def change(self, reference: str, said: Mapping[str, Any], once: str = "") -> Subscribed:
        with _plain():
            changed = self._v1.subscriptions.update(
                reference,
                _said(said, expand=_OF_SUBSCRIPTION),
                {"idempotency_key": once} if once else {},
            )
        return reading.subscription(_whole(changed))

    def end(self, reference: str, comment: str = "") -> Subscribed:
        """At once."""
        said: dict[str, Any] = {"expand": _OF_SUBSCRIPTION}
        if comment:
            said["cancellation_details"] = {"comment": comment}
        with _plain():
            return reading.subscription(_whole(self._v1.subscriptions.cancel(reference, _said(said))))

    def preview(self, reference: str, said: Mapping[str, Any], next_at: datetime | None) -> Difference:
        """What a change of plan would cost now, and what is paid from then on; `next_at` None: of a new period."""
        now = self._preview(reference, said)
        unmixed = {key: value for key, value in said.items() if key != "proration_date"}
        full = self._preview(reference, {**unmixed, "proration_behavior": "none"})
        ends = [line["period"]["end"] for line in full["lines"]["data"]]
        return Difference(
            due_now=_due(now) if said["proration_behavior"] != "none" else 0,
            currency=full["currency"].upper(),
            next_amount=full["total"],
            next_at=next_at or reading.moment(max(ends, default=full["period_end"])),
        )

    def _preview(self, reference: str, said: Mapping[str, Any]) -> Thing:
        with _plain():
            return _whole(
                self._v1.invoices.create_preview(_said({"subscription": reference, "subscription_details": said}))
            )

    # Money

    def invoice(self, reference: str) -> tuple[str, Paid, int]:
        """Its state, what was paid, and how often payment was tried."""
        with _plain():
            found = _whole(self._v1.invoices.retrieve(reference, {"expand": ["payments"]}))
            intent = reading.intent_of(found)  # asked for by itself: no more than four levels come at once
            paid = _whole(self._v1.payment_intents.retrieve(intent, {"expand": [_CHARGE]})) if intent else {}
        return found["status"] or "", reading.invoice(found, paid.get("latest_charge")), found["attempt_count"]

    def invoices(self, since: datetime) -> Iterator[Paid]:
        """Those that were paid, of subscriptions or not."""
        with _plain():
            found = self._v1.invoices.list(
                {
                    "status": "paid",
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                }
            )
            for each in found.auto_paging_iter():
                yield reading.invoice(_whole(each))

    def open_invoice_page(self, reference: str) -> str:
        """Where what failed can be paid by hand."""
        with _plain():
            return self._v1.invoices.retrieve(reference).hosted_invoice_url or ""

    def payment(self, reference: str) -> tuple[str, Paid]:
        with _plain():
            found = _whole(self._v1.payment_intents.retrieve(reference, {"expand": [_CHARGE]}))
        return found["status"], reading.payment(found)

    def charge(self, reference: str) -> Thing:
        with _plain():
            return _whole(self._v1.charges.retrieve(reference))

    def dispute(self, reference: str) -> Thing:
        with _plain():
            return _whole(self._v1.disputes.retrieve(reference))

    def refund(self, charge: str, once: str) -> None:
        with _plain():
            self._v1.refunds.create({"charge": charge}, {"idempotency_key": once})

    # Who pays

    def customer(self, reference: str) -> Payer:
        with _plain():
            return reading.customer(_whole(self._v1.customers.retrieve(reference, {"expand": [_PERMANENT_METHODS]})))

    def customers(self) -> Iterator[Payer]:
        with _plain():
            found = self._v1.customers.list({"limit": 100, "expand": ["data." + _PERMANENT_METHODS]})
            for each in found.auto_paging_iter():
                yield reading.customer(_whole(each))

    def change_customer(self, reference: str, said: Mapping[str, Any]) -> None:
        with _plain():
            self._v1.customers.update(reference, _said(said))

    def drop_customer(self, reference: str) -> None:
        """With all subscriptions, at once; the books stay."""
        with _plain():
            self._v1.customers.delete(reference)


def connected() -> tuple[Account, Stripe]:
    """The account that takes payments now. Raises NotConnected, CannotOpen."""
    account = Account.connected() if config.settings().billing != "off" else None
    if account is None:
        raise NotConnected
    return account, of(account)


def of(account: Account) -> Stripe:
    return Stripe(sealing.open_(account.sealed_key))


def bell(account: Account, body: bytes, signature: str) -> Bell:
    """An event, as long as its signature is genuine and younger than five minutes. Raises NotGenuine."""
    import stripe

    secret = sealing.open_(account.sealed_hook_secret)
    try:
        stripe.WebhookSignature.verify_header(body.decode(), signature, secret, OLDEST_SIGNATURE)
        told = stripe.Event.construct_from(_parsed(body), None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError):
        raise NotGenuine("not signed by the payment provider, or too old") from None
    return reading.event(_whole(told))


def _said(said: Mapping[str, Any], **more: object) -> Any:
    """The SDK's parameters are hundreds of typed dictionaries; what is in ours is checked by Stripe."""
    return {**said, **more}


def _parsed(body: bytes) -> dict[str, Any]:
    told = json.loads(body)
    if not isinstance(told, dict) or told.get("object") != "event":
        raise ValueError
    return told


def _due(previewed: Thing) -> int:
    """What is charged, after what was left over from earlier; below nothing: so much is left over by this."""
    due: int = previewed["amount_due"] if previewed["total"] > 0 else previewed["total"]
    return due


def _whole(thing: stripe.StripeObject) -> Thing:
    return thing.to_dict()


def _base() -> str:
    current = config.settings()
    return current.till_url if current.billing == "test" else ""


@contextmanager
def _plain() -> Iterator[None]:
    """Stripe's ways to say no, in ours."""
    import stripe

    try:
        yield
    except stripe.AuthenticationError:
        raise KeyRefused from None
    except stripe.PermissionError as error:
        raise KeyRefused(
            f"This key may not do all that is needed. Stripe says: {error.user_message or error}"
        ) from None
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderAway from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            raise NotThere(f"The payment provider has no such thing: {error.param or 'it'} is not there.") from None
        raise TurnedDown(f"The payment provider says: {error.user_message or error}") from None
    except stripe.CardError as error:
        if error.code in {"authentication_required", "subscription_payment_intent_requires_action"}:
            raise TurnedDown(
                "Your bank wants to ask you before it pays, and cannot ask you from here. Nothing was charged. "
                "Put in another card, under Card and invoices, and do it once more."
            ) from None
        raise TurnedDown(f"The payment did not go through: {error.user_message or error}") from None
    except stripe.StripeError as error:
        raise ProviderAway from error

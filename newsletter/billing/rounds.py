"""Rounds that are made by the clock, where an account is connected. Each commits, and is safe to run twice."""

from collections.abc import Callable

import structlog

from newsletter import clock
from newsletter.billing import counterparts, dunning, reconciling, repricing, retaining
from newsletter.billing.models import Account
from newsletter.billing.stripe import NotConnected, Stripe, connected
from newsletter.db import db
from newsletter.errors import NewsletterError

log = structlog.get_logger()


def keep_tiers_in_step() -> None:
    _with_account(counterparts.keep_in_step)


def keep_memberships() -> None:
    dunning.remind()
    retaining.win_back()
    db.session.commit()
    _with_account(repricing.carry_out)
    _with_account(dunning.remind_of_failed_payments)
    _with_account(dunning.stop_where_nothing_may_be_charged)


def reconcile() -> None:
    _with_account(reconciling.reconcile)


def _with_account(do: Callable[[Account, Stripe], object]) -> None:
    """What goes wrong is shown at the desk until it goes right again."""
    try:
        account, stripe = connected()
    except NotConnected:
        return
    try:
        do(account, stripe)
        account.trouble, account.trouble_at = "", None
    except NewsletterError as error:
        db.session.rollback()
        log.warning("the payment provider could not be asked", what=do.__name__, reason=type(error).__name__)
        account.trouble, account.trouble_at = error.sentence, clock.now()
    db.session.commit()

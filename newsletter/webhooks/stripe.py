"""POST /webhooks/stripe: what the payment provider rings about. Verified, written down, and looked into afterwards."""

import structlog
from flask import Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from newsletter import config
from newsletter.billing import events
from newsletter.billing import stripe as provider
from newsletter.billing.models import Account
from newsletter.billing.stripe import NotGenuine
from newsletter.db import db
from newsletter.errors import NewsletterError
from newsletter.webhooks import bp

MOST_BYTES = 512 * 1024

log = structlog.get_logger()


@bp.post("/webhooks/stripe")
def take_payment_event() -> Response:
    account = Account.connected() if config.settings().billing != "off" else None
    if account is None:
        abort(404)
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    if len(body) >= MOST_BYTES:
        raise RequestEntityTooLarge
    try:
        bell = provider.bell(account, body, request.headers.get("Stripe-Signature", ""))
    except NotGenuine as error:
        log.warning("webhook turned down", path=request.path, reason=error.sentence)
        return Response(status=error.status)
    except NewsletterError as error:  # our own key has changed: the provider rings again when it is put right
        log.exception("webhook not taken in", path=request.path, reason=error.sentence)
        return Response(status=503)
    is_news = events.write_down(account, bell)
    db.session.commit()
    log.info("webhook taken in", provider="stripe", type=bell.type, news=int(is_news))
    return Response(status=200)

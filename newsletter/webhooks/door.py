"""POST /webhooks/<provider>: verify, read, record, commit, and only then say that it was taken in.

There is no limit on how many calls may come: all providers' customers share the providers' networks, so whoever used up
a limit there would make us lose real events. What a stranger can cost us is bounded instead: a body, one signature.
"""

from collections.abc import Mapping
from typing import Protocol

import structlog
from flask import Response, abort, request
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from newsletter import config
from newsletter.config import Settings
from newsletter.db import db
from newsletter.sending import bounces
from newsletter.sending.reports import Report
from newsletter.webhooks import bp, mailgun, postmark, resend, sendgrid, ses
from newsletter.webhooks.call import Call, NotNow, NotSignedIn, TurnedDown

MOST_BYTES = 2 * 1024 * 1024  # a batch of SendGrid's, or a bounce with the whole message in it, is below 1 MB
TRIES = 5  # when PostgreSQL ends a ring of calls that wait for each other

log = structlog.get_logger()


class Provider(Protocol):
    """A module that knows one provider's language."""

    def is_set_up(self, settings: Settings) -> bool: ...

    def reports(self, call: Call, settings: Settings) -> list[Report]:
        """What a genuine call tells us. Raises TurnedDown."""


PROVIDERS: Mapping[str, Provider] = {
    "mailgun": mailgun,
    "postmark": postmark,
    "resend": resend,
    "sendgrid": sendgrid,
    "ses": ses,
}


@bp.post("/webhooks/<provider>")
def take(provider: str) -> Response:
    settings = config.settings()
    speaker = PROVIDERS.get(provider)
    if speaker is None or not speaker.is_set_up(settings):
        abort(404)
    call = _call()
    for _ in range(TRIES):
        try:
            events, news = _take_in(speaker, call, settings)
        except OperationalError as error:
            db.session.rollback()
            if not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            log.info("webhook taken in", provider=provider, events=events, news=news)
            return Response(status=200)
    raise NotNow("too many calls about the same readers at once")


def _take_in(speaker: Provider, call: Call, settings: Settings) -> tuple[int, int]:
    """How many events there were, and how many of them were news. Commits."""
    reports = speaker.reports(call, settings)
    # Batches that come at once touch the same readers in the same order: they seldom wait for each other in a ring.
    in_order = sorted(reports, key=lambda report: (report.token, report.message_id))
    news = sum(bounces.record(report) for report in in_order)
    db.session.commit()
    return len(reports), news


@bp.errorhandler(TurnedDown)
def turn_down(refusal: TurnedDown) -> Response:
    db.session.rollback()
    log.warning("webhook turned down", path=request.path, reason=refusal.reason)
    response = Response(status=refusal.status)
    if isinstance(refusal, NotSignedIn):
        response.headers["WWW-Authenticate"] = 'Basic realm="webhooks", charset="UTF-8"'  # RFC 9110 §11.6.1
    return response


@bp.errorhandler(RequestEntityTooLarge)
def too_large(_: RequestEntityTooLarge) -> Response:
    log.warning("webhook turned down", path=request.path, reason="too large")
    return Response(status=413)


def _call() -> Call:
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    if len(body) >= MOST_BYTES:  # of unknown length: it is cut off there, not refused
        raise RequestEntityTooLarge
    return Call(
        body=body,
        headers=request.headers,
        password=(request.authorization and request.authorization.password) or "",
    )

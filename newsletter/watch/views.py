"""What programs ask of the web process: does it live, is it ready, and how is the work going."""

import hmac
import ipaddress

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from newsletter.config import settings
from newsletter.db import db
from newsletter.watch import metrics, readiness

bp = Blueprint("watch", __name__)

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


@bp.after_request
def keep_nothing(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/healthz")
def healthz() -> Response:
    """The process lives."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> Response:
    """200 when requests can be answered, 503 when not; and a line for everything that is not as it should be."""
    report = readiness.look()
    lines = ["ready" if report.is_ready else "not ready", *report.sentences]
    return Response("\n".join(lines) + "\n", 200 if report.is_ready else 503, mimetype="text/plain")


@bp.get("/metrics")
def show_metrics() -> Response:
    """For Prometheus, in its text format. To who knows METRICS_PASSWORD; without one, to this machine alone."""
    refusal = _refusal()
    if refusal is not None:
        return refusal
    try:
        body = metrics.exposition()
    except SQLAlchemyError:
        db.session.rollback()
        body = metrics.exposition(has_database=False)
    return Response(body, content_type=metrics.CONTENT_TYPE)


def _refusal() -> Response | None:
    password = settings().metrics_password
    if password is None:
        return None if _is_from_here() else Response("Only this machine may ask.\n", 403, mimetype="text/plain")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted = password.get_secret_value().encode()
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted):
        return None
    answer = Response("Send METRICS_PASSWORD as a bearer token.\n", 401, mimetype="text/plain")
    answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return answer


def _is_from_here() -> bool:
    """A request that came through a proxy on this machine comes from this machine only in part."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    asked = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return _is_loopback(request.remote_addr or "") and (asked == "localhost" or _is_loopback(asked.strip("[]")))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

"""What every door has in common: rate limits, CSRF tokens, security headers."""

import secrets
from collections.abc import Sequence

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from newsletter.config import Settings

limiter = Limiter(key_func=get_remote_address, strategy="moving-window", headers_enabled=True)
csrf = CSRFProtect()  # asked by the desk for each unsafe request; public forms carry no session to protect


def install(app: Flask, settings: Settings) -> None:
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url,
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 1, "socket_timeout": 1},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,  # Redis away: each process counts for itself
        RATELIMIT_KEY_PREFIX="limits",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a page left open over night still saves; the session ends it
        SESSION_COOKIE_NAME="__Host-desk" if settings.is_https else "desk",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    limiter.init_app(app)
    csrf.init_app(app)
    app.before_request(_make_nonce)
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = lambda: g.csp_nonce


def _make_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def _add_headers(response: Response) -> Response:
    """Strict by default; a view that needs something else sets the header itself."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer" if _has_token() else "strict-origin-when-cross-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", content_security_policy(g.get("csp_nonce", "")))
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def content_security_policy(
    nonce: str, *, frame_ancestors: str = "'none'", players: Sequence[str] = (), forms_lead_to: Sequence[str] = ()
) -> str:
    """`players` are the sites whose films a page may play; such a page may also show an author's own colours.
    `forms_lead_to` are the sites that the answer to a form may send a browser on to.
    """
    frames = " ".join(("'self'", *players))
    forms = " ".join(("'self'", *forms_lead_to))
    more = "; media-src 'self' https:; style-src-attr 'unsafe-inline'" if players else ""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self' 'nonce-{nonce}'; "
        f"img-src 'self' https: data:; font-src 'self'; connect-src 'self'; frame-src {frames}; form-action {forms}; "
        f"base-uri 'none'; manifest-src 'self'; frame-ancestors {frame_ancestors}{more}"
    )


def _has_token() -> bool:
    """Addresses that are themselves a key must not travel in a Referer."""
    return bool(request.view_args and "token" in request.view_args)

"""The factory: the only module that knows all others."""

import structlog
from flask import Flask, render_template
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import newsletter.models  # noqa: F401  # all tables are known before the first query
from newsletter import config, jobs, logs, signing
from newsletter.db import db
from newsletter.errors import NewsletterError

log = structlog.get_logger()


def create_app(settings: config.Settings | None = None, *, has_doors: bool = True) -> Flask:
    """`has_doors=False` is for workers, to whom nobody comes: without pages the app needs a fifth less memory."""
    settings = settings or config.settings()
    signing.load(settings)  # a key that cannot be read stops the start, not the first mailing
    app = Flask("newsletter")
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SECRET_KEY_FALLBACKS=list(settings.all_secret_keys[1:]),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=500,
        NEWSLETTER=settings,
    )
    logs.configure(settings)
    db.init_app(app)
    jobs.configure(settings)
    if has_doors:
        _open_doors(app, settings)
    return app


def _open_doors(app: Flask, settings: config.Settings) -> None:
    from flask_migrate import Migrate

    from newsletter import admin, guards, media, public, webhooks
    from newsletter.watch import views as watch

    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    Migrate(app, db, directory=f"{app.root_path}/migrations")
    guards.install(app, settings)
    app.register_blueprint(public.bp)
    app.register_blueprint(admin.bp)
    app.register_blueprint(media.bp)
    app.register_blueprint(webhooks.bp)
    if settings.inbox_dir:
        from newsletter.up import inbox_pages  # only where the embedded extra is installed

        app.register_blueprint(inbox_pages.bp)
    app.register_blueprint(watch.bp)
    app.register_error_handler(NewsletterError, _show_refusal)
    app.register_error_handler(HTTPException, _show_http_error)


def _show_refusal(error: NewsletterError) -> tuple[str, int]:
    db.session.rollback()
    return render_template("errors/refusal.html", sentence=error.sentence, status=error.status), error.status


_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "That is more than we take in one go.",
    429: "That was a lot in a short time. Wait a moment, then try again.",
    500: "Something broke on our side. It has been noted; trying again in a minute may help.",
}


def _show_http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    db.session.rollback()
    sentence = _SENTENCES.get(status, error.description or "This request could not be answered.")
    return render_template("errors/refusal.html", sentence=sentence, status=status), status

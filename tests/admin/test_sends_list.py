"""The list of sends while something starts."""

from datetime import timedelta

import pytest
from flask import Flask

from newsletter import clock
from newsletter.admin import sends
from newsletter.db import db
from newsletter.posts import publishing
from newsletter.sending import queries, start
from newsletter.sending.models import Mailing
from tests import cast, factories
from tests.doubles import JobQueue


def test_a_post_that_starts_while_the_list_is_made_is_on_it(
    app: Flask, jobs_queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.ada()
    post = factories.post()
    publishing.schedule(post, clock.now() - timedelta(seconds=1), "UTC")
    db.session.commit()
    listed = queries.mailings

    def worker_is_quick(limit: int, before: int | None = None) -> list[Mailing]:
        found = listed(limit, before)
        start.start(post.id)
        db.session.commit()
        return found

    monkeypatch.setattr(queries, "mailings", worker_is_quick)
    with app.test_request_context("/desk/sends"):
        shown = sends._listed()

    assert shown["starting"] or shown["mailings"]
    assert shown["is_over"] is False

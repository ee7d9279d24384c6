"""A house from before there was a storage: its pictures are shown after the update as they were."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text

from newsletter import config
from newsletter.app import create_app
from newsletter.db import db

pytestmark = pytest.mark.slow


@pytest.fixture
def earlier(app: Flask, settings: config.Settings) -> Iterator[Flask]:
    """An app whose database stands where it stood before this change."""
    server = create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE earlier"))
    address = server.url.set(database="earlier").render_as_string(hide_password=False)
    made = create_app(settings.model_copy(update={"database_url": address}))
    with made.app_context():
        upgrade(revision="0002")
        yield made
        db.session.remove()
        db.engine.dispose()
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE earlier"))
    server.dispose()


def test_pictures_from_the_database_are_shown_after_the_update(earlier: Flask) -> None:
    key = "ab" * 16
    db.session.execute(
        text(
            "INSERT INTO publication (name, postal_address, time_zone, language, accent, tagline)"
            " VALUES ('Slow Letters', '', 'UTC', 'en', '#000000', '')"
        )
    )
    db.session.execute(
        text(
            "INSERT INTO media (publication_id, key, content_type, width, height, content)"
            f" SELECT id, '{key}', 'image/png', 20, 10, 'a picture' FROM publication"
        )
    )
    db.session.commit()

    upgrade()

    assert earlier.test_client().get(f"/media/{key}.png").data == b"a picture"
    kept = db.session.execute(text("SELECT name, width, size, purpose FROM media_file")).one()
    assert tuple(kept) == (f"{key}.png", 20, 9, "mail")
    assert db.session.scalar(text("SELECT finished_at = created_at FROM media"))

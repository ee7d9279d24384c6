"""Ken, who owns the publication, at his desk."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.accounts import owners
from newsletter.accounts.models import User
from newsletter.db import db
from newsletter.publication.models import Newsletter
from tests import factories

PASSWORD = "a quiet owl reads"


@pytest.fixture
def weekly(app: Flask) -> Newsletter:
    newsletter = factories.newsletter()
    db.session.commit()
    return newsletter


@pytest.fixture
def ken(weekly: Newsletter) -> User:
    owner = owners.create_owner("ken@example.com", "Ken", PASSWORD)
    db.session.commit()
    return owner


@pytest.fixture
def desk(ken: User, client: FlaskClient) -> FlaskClient:
    """A browser in which Ken has signed in."""
    assert sign_in(client).status_code == 302
    return client


def sign_in(client: FlaskClient, **given: str) -> TestResponse:
    return client.post("/desk/sign-in", data={"email": "ken@example.com", "password": PASSWORD, **given})


def seen(response: TestResponse) -> str:
    """The words on a page, without its markup."""
    assert response.status_code in (200, 403, 404, 409, 422), response.status
    body = re.sub(r"(?s)<(script|style|dialog)\b.*?</\1>", " ", response.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

import pytest
from flask import Flask

from newsletter.publication.models import Newsletter
from tests import factories


@pytest.fixture
def weekly(app: Flask) -> Newsletter:
    return factories.newsletter()

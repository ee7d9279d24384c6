"""Commands as a person types them."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from newsletter.cli import main

Newsletter = Callable[..., Result]


@pytest.fixture
def newsletter(app: Flask) -> Newsletter:
    """Runs `newsletter …` in this process, on the test's database."""

    def run(*arguments: object, typed: str = "") -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run

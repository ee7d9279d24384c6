"""The first account, and the publication that comes with it."""

from newsletter.accounts.models import Role, User
from newsletter.publication.models import Newsletter as List
from newsletter.publication.models import Publication
from tests.cli.conftest import Newsletter

PASSWORD = "a quiet sentence about mail"


def test_the_first_owner_founds_the_publication(newsletter: Newsletter) -> None:
    done = newsletter(
        "create-owner",
        "--email",
        "ken@example.com",
        "--name",
        "Ken",
        typed=f"Slow Letters\nThe Weekly\n{PASSWORD}\n{PASSWORD}\n",
    )

    assert done.exit_code == 0, done.output
    ken = User.by_email("ken@example.com")
    assert ken
    assert ken.role is Role.OWNER
    assert Publication.current().name == "Slow Letters"
    assert [(each.name, each.sender_name, each.sender_email) for each in List.open()] == [
        ("The Weekly", "Ken", "ken@example.com")
    ]
    assert PASSWORD not in done.output


def test_a_second_owner_changes_no_publication_and_may_pipe_a_password(newsletter: Newsletter) -> None:
    founded = ("--publication", "Slow Letters", "--newsletter", "The Weekly", "--password-stdin")
    newsletter("create-owner", "--email", "ken@example.com", "--name", "Ken", *founded, typed=PASSWORD)

    done = newsletter(
        "create-owner", "--email", "ada@example.com", "--name", "Ada", "--password-stdin", typed=PASSWORD + "\n"
    )

    assert done.exit_code == 0, done.output
    assert User.by_email("ada@example.com")
    assert len(List.open()) == 1


def test_a_weak_password_makes_neither_account_nor_publication(newsletter: Newsletter) -> None:
    founded = ("--publication", "P", "--newsletter", "N", "--password-stdin")
    done = newsletter("create-owner", "--email", "ken@example.com", "--name", "Ken", *founded, typed="1234\n")

    assert done.exit_code == 1
    assert "12 characters" in done.stderr
    assert User.by_email("ken@example.com") is None

"""newsletter posts import, list, schedule."""

from pathlib import Path

import pytest

from newsletter.db import db
from newsletter.posts.models import Post, PostStatus
from tests import cast, factories
from tests.cli.conftest import Newsletter
from tests.doubles import JobQueue

LETTER = "---\ntitle: On slow mail\nsubtitle: A defence of waiting\nslug: slow\n---\n\nHello.\n"


@pytest.fixture(autouse=True)
def weekly(newsletter: Newsletter) -> None:
    factories.newsletter()
    db.session.commit()


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "letter.md"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_file_becomes_a_draft_and_its_next_version_a_revision(newsletter: Newsletter, tmp_path: Path) -> None:
    first = newsletter("posts", "import", write(tmp_path, LETTER))
    second = newsletter("posts", "import", write(tmp_path, LETTER.replace("Hello", "Good morning")))

    assert "saved as slow, revision 1 (draft)" in first.output
    assert "revision 2" in second.output
    assert "of the 102 kB that Gmail shows." in first.output
    post = Post.by_slug("slow")
    assert post
    assert [revision.number for revision in post.revisions] == [1, 2]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("---\ntitle: A\naudience: the moon\n---\n\nHello.\n", "letter.md:3: "),
        ("---\ntitle: A\nnewsletter: weeky\n---\n\nHello.\n", "weekly"),
        (b"---\ntitle: Zo\xeb\n---\n\nHello.\n", "letter.md:2: This line is not UTF-8"),
        ("", "empty"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_nothing_is_saved(
    newsletter: Newsletter, tmp_path: Path, text: str | bytes, place: str
) -> None:
    done = newsletter("posts", "import", write(tmp_path, text))

    assert done.exit_code == 1
    assert place in done.stderr
    assert "No posts." in newsletter("posts", "list").output


def test_a_post_is_scheduled_in_local_time(newsletter: Newsletter, tmp_path: Path) -> None:
    cast.ada()
    db.session.commit()
    newsletter("posts", "import", write(tmp_path, LETTER))

    done = newsletter("posts", "schedule", "slow", "--at", "2031-11-30 09:00")

    assert done.exit_code == 0, done.output
    assert "goes out at 2031-11-30 09:00 (Europe/Berlin), to 1 reader as of now" in done.output
    post = Post.by_slug("slow")
    assert post
    assert post.status is PostStatus.SCHEDULED
    assert "2031-11-30 09:00" in newsletter("posts", "list").output
    assert "draft again" in newsletter("posts", "unschedule", "slow").output


def test_now_means_now(newsletter: Newsletter, tmp_path: Path, jobs_queue: JobQueue) -> None:
    newsletter("posts", "import", write(tmp_path, LETTER))

    done = newsletter("posts", "schedule", "slow", "--at", "now")

    assert "goes out now" in done.output
    assert len(jobs_queue.waiting) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["slow", "--at", "2001-01-01 09:00"], "has passed"),
        (["slow", "--at", "tomorrow"], "is not a time"),
        (["slow", "--at", "now", "--zone", "Europe/Atlantis"], "is not a time zone"),
        (["fast", "--at", "now"], "There is no post “fast”"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    newsletter: Newsletter, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    newsletter("posts", "import", write(tmp_path, LETTER))

    done = newsletter("posts", "schedule", *arguments)

    assert done.exit_code == 1
    assert sentence in done.stderr


DOUBTFUL = LETTER.replace("Hello.", "See [here](https://example.com/a).")
BROKEN = LETTER.replace("Hello.", "Dear {{name}},")


def test_a_check_says_what_is_wrong_and_ends_with_one_if_it_must_be_mended(
    newsletter: Newsletter, tmp_path: Path
) -> None:
    newsletter("posts", "import", write(tmp_path, BROKEN))
    broken = newsletter("posts", "check", "slow")
    newsletter("posts", "import", write(tmp_path, DOUBTFUL))
    doubtful = newsletter("posts", "check", "slow")
    newsletter("posts", "import", write(tmp_path, LETTER))
    fine = newsletter("posts", "check", "slow")

    assert broken.exit_code == 1
    assert "error (foreign_field): Line 7: “{{name}}” is a merge field" in broken.output
    assert doubtful.exit_code == 0
    assert "warning (vague_link): Line 7" in doubtful.output
    assert "1 of 1 link not checked yet" in doubtful.output
    assert fine.exit_code == 0
    assert "Nothing stands in the way" in fine.output


def test_a_warning_is_accepted_by_its_code(newsletter: Newsletter, tmp_path: Path) -> None:
    newsletter("posts", "import", write(tmp_path, DOUBTFUL))

    refused = newsletter("posts", "schedule", "slow", "--at", "2031-11-30 09:00")
    assert refused.exit_code == 1
    assert "send it as it is with: --accept vague_link" in refused.stderr

    done = newsletter("posts", "schedule", "slow", "--at", "2031-11-30 09:00", "--accept", "vague_link")
    assert done.exit_code == 0
    assert "accepted warning (vague_link)" in newsletter("posts", "check", "slow").output


def test_an_error_cannot_be_accepted(newsletter: Newsletter, tmp_path: Path) -> None:
    newsletter("posts", "import", write(tmp_path, BROKEN))

    done = newsletter("posts", "schedule", "slow", "--at", "2031-11-30 09:00", "--accept", "foreign_field")

    assert done.exit_code == 1
    assert "is a merge field" in done.stderr

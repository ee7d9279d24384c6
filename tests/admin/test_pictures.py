"""Pictures in the editor: from the device, again, and only by who has signed in."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.db import db
from newsletter.posts import content
from newsletter.posts.models import Media, Post
from tests.admin.conftest import seen
from tests.posts import drawn

pytestmark = pytest.mark.usefixtures("jobs_queue")

CAT = drawn.saved(drawn.photo(800, 500), "JPEG")
DOG = drawn.saved(drawn.drawing(400, 300))


def sent(client: FlaskClient, path: str, files: list[tuple[str, str, bytes]], **given: str) -> TestResponse:
    """A form as a browser sends it; by hand, since the client's own would leave a large file open."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in given.items()]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode() + data
        for name, file, data in files
    ]
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return client.post(path, data=body, content_type="multipart/form-data; boundary=edge")


def saved(client: FlaskClient, *files: tuple[str, bytes], path: str = "/desk/posts/new", **given: str) -> TestResponse:
    typed = {"title": "On cats", "body": "Hello.", "newsletter": "weekly", "audience": "everyone", **given}
    return sent(client, path, [("pictures", *file) for file in files], **typed)


def source() -> str:
    db.session.expire_all()
    return content.latest_revision(db.session.scalars(select(Post)).one()).source


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Media)) or 0


def only() -> Media:
    return db.session.scalars(select(Media)).one()


def address(media: Media) -> str:
    return f"http://letters.example.org/media/{media.file_name}"


def test_a_picture_saved_with_the_text_stands_at_its_end_with_what_it_shows(desk: FlaskClient) -> None:
    answer = saved(desk, ("My cat.jpg", CAT), shows="A [cat]\non a mat", then="pictures")

    assert source().endswith(f"Hello.\n\n![A (cat) on a mat]({address(only())})\n")
    assert "The picture is at the end of the text." in seen(desk.get(answer.headers["Location"]))


def test_several_go_in_at_once_in_their_order(desk: FlaskClient) -> None:
    saved(desk, ("cat.jpg", CAT), ("dog.png", DOG))

    cat, dog = db.session.scalars(select(Media).order_by(Media.id))
    assert source().endswith(f"Hello.\n\n![]({address(cat)})\n\n![]({address(dog)})\n")


def test_a_picture_is_offered_again_and_kept_once(desk: FlaskClient) -> None:
    saved(desk, ("cat.jpg", CAT))
    post = db.session.scalars(select(Post)).one()
    page = desk.get(f"/desk/posts/{post.id}")
    key = re.findall(r'name="again" value="([0-9a-f]+)"', page.text)
    assert key == [only().key]

    saved(desk, path=f"/desk/posts/{post.id}", again=key[0], body="Again.", revision="1")

    assert source().endswith(f"Again.\n\n![]({address(only())})\n")
    assert count() == 1


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (("cat.jpg", b"<script>alert(1)</script>"), "not a picture that we can read"),
        (("cat.svg", b"<svg/>"), "SVG files can carry programs"),
        (("cat.png", drawn.bomb()), "more than 50 million pixels"),
        (("cat.png", b"\0" * (15 * 1024 * 1024 + 1)), "up to 15 MB"),
    ],
)
def test_what_is_refused_is_said_beside_the_field_and_the_text_stays(
    desk: FlaskClient, file: tuple[str, bytes], sentence: str
) -> None:
    answer = saved(desk, ("good.png", DOG), file, body="Hours of work.")

    assert answer.status_code == 422
    assert sentence in seen(answer)
    assert "Hours of work." in seen(answer)
    assert count() == 0


def test_no_more_go_in_at_once_than_are_said(desk: FlaskClient) -> None:
    answer = saved(desk, *[(f"{number}.png", DOG) for number in range(21)])

    assert "Up to 20 pictures go in at once." in seen(answer)
    assert count() == 0


def test_a_page_that_speaks_for_itself_gets_the_address_to_put_into_the_text(desk: FlaskClient) -> None:
    answer = sent(desk, "/desk/pictures", [("picture", "My cat.jpg", CAT)])

    assert answer.json is not None
    assert (answer.status_code, answer.json["address"]) == (200, address(only()))
    assert answer.json["name"] == "My cat"
    assert only().key in answer.json["offers"]


@pytest.mark.parametrize("files", [[], [("picture", "", b"")], [("picture", "a.svg", b"<svg onload='alert(1)'/>")]])
def test_it_is_told_in_a_sentence_what_was_wrong(desk: FlaskClient, files: list[Any]) -> None:
    answer = sent(desk, "/desk/pictures", files)

    assert answer.status_code == 422
    assert answer.json
    assert answer.json["said"].endswith(".")
    assert count() == 0


def test_names_of_files_are_words_on_the_page(desk: FlaskClient) -> None:
    sent(desk, "/desk/pictures", [("picture", "<script>alert(1)</script>&.png", DOG)])

    assert "<script>alert" not in desk.get("/desk/posts/new").text


def test_more_than_any_picture_is_refused_before_it_is_read(desk: FlaskClient) -> None:
    answer = desk.post(
        "/desk/pictures",
        content_type="multipart/form-data; boundary=edge",
        environ_overrides={"CONTENT_LENGTH": str(65 * 1024 * 1024)},
    )

    assert answer.status_code == 413


def test_strangers_add_nothing(weekly: object, client: FlaskClient) -> None:
    for path in ("/desk/pictures", "/desk/posts/new"):
        answer = sent(client, path, [("picture", "cat.jpg", CAT), ("pictures", "cat.jpg", CAT)])
        assert answer.status_code == 403
    assert count() == 0


def test_a_form_of_another_site_adds_nothing(desk: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)

    for path in ("/desk/pictures", "/desk/posts/new"):
        answer = sent(desk, path, [("picture", "cat.jpg", CAT), ("pictures", "cat.jpg", CAT)], csrf_token="guessed")
        assert answer.status_code == 400
    assert count() == 0


def test_a_get_adds_nothing(desk: FlaskClient) -> None:
    saved(desk, ("cat.jpg", CAT))
    before = source()

    assert desk.get(f"/desk/pictures?picture=x&again={only().key}").status_code == 405
    assert desk.get(f"/desk/posts/1?again={only().key}&then=pictures").status_code == 200

    assert count() == 1
    assert source() == before

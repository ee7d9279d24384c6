"""Where pictures lie: a folder or a bucket, by one setting."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from newsletter import config, storage
from newsletter.db import db
from newsletter.posts import content, pictures
from tests import bucket, factories
from tests.bucket import Bucket
from tests.doubles import JobQueue
from tests.posts import drawn

Set = Callable[..., None]


@pytest.fixture
def put_in_place(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    def settings(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        config.settings.cache_clear()

    yield settings
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def pictures_bucket(put_in_place: Set) -> Iterator[Bucket]:
    with bucket.running() as running:
        put_in_place(MEDIA_URL=running.media_url())
        yield running


NAME = f"{'0f' * 16}.png"


def test_a_bucket_gets_each_file_signed_with_its_type_and_for_ever(pictures_bucket: Bucket) -> None:
    storage.put(NAME, b"a picture")

    content, headers = pictures_bucket.objects[f"/pictures/letters/{NAME}"]
    assert content == b"a picture"
    assert headers["content-type"] == "image/png"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKEXAMPLE/")
    assert "/eu-central-1/s3/aws4_request" in headers["authorization"]
    assert "se/cret" not in str(pictures_bucket.asked)
    assert storage.get(NAME) == b"a picture"
    assert pictures_bucket.asked[-1][2]["authorization"].startswith("AWS4-HMAC-SHA256 ")


def test_what_is_not_in_the_bucket_is_not_there(pictures_bucket: Bucket, app: Flask) -> None:
    assert storage.get(NAME) is None
    assert app.test_client().get(f"/media/{NAME}").status_code == 404


def test_a_picture_goes_the_whole_way_through_a_bucket(
    pictures_bucket: Bucket, app: Flask, jobs_queue: JobQueue
) -> None:
    factories.newsletter()
    media = pictures.add(drawn.saved(drawn.photo(600, 400), "JPEG"), publication_id=1)
    db.session.commit()
    jobs_queue.run()
    db.session.refresh(media)

    assert {f"/pictures/letters/{file.name}" for file in media.files} == set(pictures_bucket.objects)
    for file in media.files:
        answer = app.test_client().get(f"/media/{file.name}")
        assert answer.data == pictures_bucket.objects[f"/pictures/letters/{file.name}"][0]
        assert answer.headers["Content-Type"] == file.content_type


@pytest.mark.parametrize("status", [403, 500])
def test_a_storage_that_refuses_is_told_in_a_sentence_and_nothing_is_kept(pictures_bucket: Bucket, status: int) -> None:
    factories.newsletter()
    pictures_bucket.refuses_with = status

    with pytest.raises(storage.StorageAway, match="The storage for pictures does not answer"):
        pictures.add(drawn.saved(drawn.drawing(60, 40)), publication_id=1)


def test_pictures_are_shown_from_the_address_before_the_storage(put_in_place: Set, jobs_queue: JobQueue) -> None:
    put_in_place(MEDIA_BASE_URL="https://pictures.example.net/letters/")
    newsletter = factories.newsletter()
    logo = pictures.add_logo(drawn.saved(drawn.drawing(300, 100)), publication_id=1)
    newsletter.publication.logo_key = logo.key
    db.session.commit()

    assert content.theme(newsletter).logo_url == f"https://pictures.example.net/letters/{logo.key}.png"


def test_another_folder_may_be_named(put_in_place: Set, tmp_path: Path) -> None:
    put_in_place(MEDIA_URL=f"files:{tmp_path}/our%20pictures")

    storage.put(NAME, b"a picture")

    assert (tmp_path / "our pictures" / NAME).read_bytes() == b"a picture"
    assert storage.get(NAME) == b"a picture"


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(put_in_place: Set, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    put_in_place(MEDIA_URL=f"files:{tmp_path}/file/media")

    with pytest.raises(storage.StorageAway):
        storage.put(NAME, b"a picture")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"MEDIA_URL": "ftp://host/x"}, "MEDIA_URL: must be empty, files:/folder or s3://"),
        ({"MEDIA_URL": "/var/pictures"}, "MEDIA_URL: must be empty, files:/folder or s3://"),
        ({"MEDIA_URL": "files:pictures"}, "MEDIA_URL: files: needs a whole path"),
        ({"MEDIA_URL": "s3://"}, "MEDIA_URL: s3:// needs a bucket"),
        ({"MEDIA_BASE_URL": "pictures.example.net"}, "MEDIA_BASE_URL: must be an http:// or https:// address"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(put_in_place: Set, given: dict[str, str], sentence: str) -> None:
    put_in_place(**given)

    with pytest.raises(config.BadSettings, match=sentence.replace("(", r"\(")):
        config.settings()


def test_the_keys_of_a_bucket_are_not_shown_with_the_settings(put_in_place: Set) -> None:
    put_in_place(MEDIA_URL="s3://AKEXAMPLE:hidden@pictures")

    assert "hidden" not in repr(config.settings())

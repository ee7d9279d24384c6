"""Pictures for posts: what is taken, what is refused, what is made of them, and where readers see it."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image, ImageCms

import emails
from newsletter import config, storage
from newsletter.db import db
from newsletter.posts import content, illustrating, pictures, preflight
from newsletter.posts.models import Media, MediaPurpose, Post
from newsletter.publication.models import Newsletter
from tests import factories
from tests.doubles import JobQueue
from tests.posts import drawn


@pytest.fixture(autouse=True)
def weekly(app: Flask, jobs_queue: JobQueue) -> Newsletter:
    made = factories.newsletter()
    db.session.commit()
    return made


def kept(given: bytes, name: str = "cat.jpg") -> Media:
    media = pictures.add(given, publication_id=1, name=name)
    db.session.commit()
    return media


def finished(given: bytes, jobs_queue: JobQueue) -> Media:
    media = kept(given)
    jobs_queue.run()
    db.session.refresh(media)
    return media


def opened(name: str) -> Image.Image:
    found = storage.get(name)
    assert found is not None
    return Image.open(BytesIO(found))


def written(markdown: str) -> Post:
    post = factories.post(source=f"---\ntitle: Pictures\n---\n\n{markdown}\n")
    db.session.commit()
    return post


def widths(media: Media, content_type: str, purpose: MediaPurpose) -> list[int]:
    return [file.width for file in media.files if (file.content_type, file.purpose) == (content_type, purpose)]


def mail_of(post: Post) -> str:
    return emails.compile_post(content.post_content(post), content.theme(post.newsletter), emails.Audience.FREE).html


def page_of(post: Post) -> str:
    said = content.post_content(post)
    return emails.render_web(said, theme=content.theme(post.newsletter), audience=emails.Audience.STRANGER)


def test_a_photograph_becomes_jpegs_for_mail_at_once_and_modern_formats_for_the_page(jobs_queue: JobQueue) -> None:
    media = kept(drawn.saved(drawn.photo(3000, 2000), "JPEG", quality=95))

    assert widths(media, "image/jpeg", MediaPurpose.MAIL) == [552, 1104]
    assert media.finished_at is None

    jobs_queue.run()
    db.session.refresh(media)

    assert media.finished_at is not None
    for kind in ("image/webp", "image/avif"):
        assert widths(media, kind, MediaPurpose.PAGE) == [552, 736, 1104, 1472]
    for file in media.files:
        picture = opened(file.name)
        assert picture.size == (file.width, file.height)
        assert abs(picture.width / picture.height - 1.5) < 0.01
        assert picture.get_format_mimetype() == file.content_type == storage.content_type(file.name)
    assert opened(media.file_name).info["progressive"]
    assert all(file.size <= 200_000 for file in media.files if file.purpose is MediaPurpose.MAIL)


def test_a_drawing_becomes_a_png_that_is_exact_and_light(jobs_queue: JobQueue) -> None:
    given = drawn.saved(drawn.drawing(1000, 600))
    media = finished(given, jobs_queue)

    assert media.content_type == "image/png"
    assert opened(media.file_name).convert("RGB").tobytes() == drawn.drawing(1000, 600).tobytes()
    assert next(file.size for file in media.files if file.name == media.file_name) <= len(given)


def test_what_is_transparent_stays_so(jobs_queue: JobQueue) -> None:
    glass = drawn.photo(700, 500).convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize((700, 500)))
    media = finished(drawn.saved(glass), jobs_queue)

    assert media.content_type == "image/png"
    for file in media.files:
        assert opened(file.name).convert("RGBA").getchannel("A").getextrema() != (255, 255), file.name


def test_a_small_picture_is_never_made_larger(jobs_queue: JobQueue) -> None:
    given = drawn.saved(drawn.photo(200, 120), "JPEG", quality=60)
    media = finished(given, jobs_queue)

    assert {file.width for file in media.files} == {200}
    assert next(file.size for file in media.files if file.name == media.file_name) <= len(given)


def test_a_moving_picture_goes_on_moving_and_has_a_still_one_beside_it(jobs_queue: JobQueue) -> None:
    media = finished(drawn.moving(frames=6, width=900, height=600), jobs_queue)

    moving = opened(media.file_name)
    assert (moving.format, moving.width, moving.n_frames) == ("GIF", 552, 6)  # type: ignore[attr-defined]
    assert moving.info["duration"] == 80
    assert moving.info["loop"] == 0
    [still] = [file for file in media.files if file.purpose is MediaPurpose.STILL]
    assert getattr(opened(still.name), "n_frames", 1) == 1
    page = page_of(written(f"![A wheel]({illustrating.address(media)})"))
    assert f'<source media="(prefers-reduced-motion: reduce)" srcset="{storage.url(still.name)}" />' in page
    assert still.name not in mail_of(written(f"![A wheel]({illustrating.address(media)})"))


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_moving_pictures_of_other_kinds_become_gifs(kind: str) -> None:
    media = kept(drawn.moving(frames=3, kind=kind))

    assert opened(media.file_name).n_frames == 3  # type: ignore[attr-defined]
    assert media.content_type == "image/gif"


def test_where_it_was_taken_and_everything_else_that_was_noted_is_gone(jobs_queue: JobQueue) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    exif[0x8825] = {1: "N", 2: (52.0, 22.0, 12.0), 3: "E", 4: (4.0, 53.0, 42.0)}
    given = drawn.saved(drawn.photo(800, 500), "JPEG", exif=exif.tobytes(), comment=b"secret comment")
    assert b"secret" in given
    assert dict(Image.open(BytesIO(given)).getexif().get_ifd(0x8825))

    media = finished(given, jobs_queue)

    for file in media.files:
        found = storage.get(file.name)
        assert found is not None
        assert b"secret" not in found
        assert b"Exif" not in found
        assert not dict(opened(file.name).getexif())


def test_a_picture_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    media = kept(drawn.saved(drawn.photo(800, 400), "JPEG", exif=exif.tobytes()))

    assert (media.width, media.height) == (400, 800)
    assert opened(media.file_name).size == (400, 800)


def test_colours_are_shown_as_their_profile_means_them() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    odd = srgb.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")  # says red, means blue
    media = kept(drawn.saved(Image.new("RGB", (100, 100), (255, 0, 0)), icc_profile=odd))

    red, green, blue = opened(media.file_name).convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert blue > 240
    assert max(red, green) < 20
    assert "icc_profile" not in opened(media.file_name).info


def test_a_profile_that_is_broken_does_not_stand_in_the_way() -> None:
    media = kept(drawn.saved(Image.new("RGB", (100, 100), (200, 100, 50)), icc_profile=b"not a profile"))

    assert opened(media.file_name).convert("RGB").getpixel((50, 50)) == (200, 100, 50)


def test_print_colours_become_those_of_screens() -> None:
    media = kept(drawn.saved(Image.new("CMYK", (100, 100), (0, 255, 255, 0)), "JPEG", quality=95))

    red, green, blue = opened(media.file_name).convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 80


def test_deep_greys_do_not_turn_white() -> None:
    media = kept(drawn.saved(Image.new("I;16", (100, 100), 32_768)))

    assert opened(media.file_name).convert("L").getpixel((50, 50)) in range(120, 136)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"", "Choose a picture first."),
        (SVG, "Export it as PNG, twice as large"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- hello --><SVG onload="alert(1)"/>', "Export it as PNG"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, "Export it as JPEG"),
        (b"GIF89a/*<script>alert(1)</script>*/=1;", "not a picture that we can read"),
        (b"<!doctype html><script>alert(1)</script>", "not a picture that we can read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture that we can read"),
        (drawn.saved(Image.new("RGB", (50, 50)), "TIFF"), "not a picture that we can read"),
        (drawn.saved(drawn.photo(300, 200), "JPEG")[:3000], "not a picture that we can read"),
        (drawn.saved(drawn.photo(300, 200), "AVIF")[:400], "not a picture that we can read"),
        (drawn.bomb(), "more than 50 million pixels"),
        (drawn.bomb(1_000, 50_001), "more than 50 million pixels"),
        (drawn.bomb(1, 40_000), "longer than 20,000 pixels"),
        (b"\0" * (15 * 1024 * 1024 + 1), "up to 15 MB"),
        (drawn.moving(frames=400, width=20, height=20), "400 frames of 20 × 20 pixels"),
        (drawn.moving(frames=60, width=800, height=600), "60 frames of 800 × 600 pixels"),
    ],
)
def test_what_is_no_harmless_picture_is_refused_with_what_to_do(given: bytes, sentence: str) -> None:
    with pytest.raises(pictures.NotAPicture, match=re.escape(sentence)):
        kept(given)
    db.session.rollback()
    assert illustrating.latest(10) == []


@pytest.mark.parametrize("kind", ["GIF", "PNG", "JPEG", "WEBP", "AVIF"])
def test_a_file_that_is_two_things_at_once_becomes_a_picture_only(kind: str, jobs_queue: JobQueue) -> None:
    tail = b"<script>alert(1)</script>PK\x03\x04%PDF-1.7"
    media = finished(drawn.saved(drawn.drawing(300, 200), kind) + tail, jobs_queue)

    for file in media.files:
        found = storage.get(file.name)
        assert found
        assert b"<script" not in found
        assert b"%PDF" not in found


def test_the_name_of_a_file_means_nothing_for_what_it_is() -> None:
    media = kept(drawn.saved(drawn.photo(300, 200), "JPEG"), "../../etc/<b>passwd</b>.svg.html")

    assert media.content_type == "image/jpeg"
    assert re.fullmatch(r"[0-9a-f]{32}\.jpg", media.file_name)
    assert media.name == "b>.svg"


def test_the_same_picture_again_is_the_same_and_no_one_can_tell_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    given = drawn.saved(drawn.drawing(300, 200))
    first = kept(given)

    assert kept(given, "other.png").id == first.id
    assert kept(drawn.saved(drawn.drawing(301, 200))).key != first.key
    logo = pictures.add_logo(given, publication_id=1)
    assert logo.key != first.key

    class Other:
        secret_key = type("Secret", (), {"get_secret_value": staticmethod(lambda: "another key " * 4)})

    monkeypatch.setattr(pictures, "settings", lambda: Other)
    assert pictures._key("picture", given) != first.key


def test_a_picture_whose_job_was_lost_is_finished_by_the_sweep(jobs_queue: JobQueue) -> None:
    media = kept(drawn.saved(drawn.photo(600, 400), "JPEG"))
    jobs_queue.waiting.clear()

    from newsletter.jobs import Job
    from worker import sweep, tasks

    tasks.run(Job.SWEEP)
    assert (Job.FINISH_PICTURE, (media.id,)) in sweep.find()
    jobs_queue.run()
    tasks.run(Job.FINISH_PICTURE, media.id)  # again, and nothing is there twice

    db.session.refresh(media)
    assert media.finished_at
    assert len({file.name for file in media.files}) == len(media.files)
    assert sweep.find() == []


def test_a_picture_that_ends_every_process_is_not_tried_for_ever() -> None:
    media = kept(drawn.saved(drawn.photo(600, 400), "JPEG"))

    assert [pictures.begin(media.id) for _ in range(5)] == [True, True, True, False, False]
    assert illustrating.unfinished() == []


def test_mail_gets_the_sharp_file_at_its_measure_in_whole_pixels(jobs_queue: JobQueue) -> None:
    media = finished(drawn.saved(drawn.photo(1200, 800), "JPEG"), jobs_queue)
    mail = mail_of(written(f"![A cat]({illustrating.address(media)})"))

    [img] = re.findall(r'<img[^>]*alt="A cat"[^>]*>', mail)
    assert f'src="{storage.url(media.file_name)}"' in img
    assert 'width="552"' in img
    assert 'height="368"' in img
    assert "webp" not in mail
    assert "avif" not in mail
    assert "srcset" not in mail


def test_the_page_offers_modern_formats_and_the_measures_of_the_picture(jobs_queue: JobQueue) -> None:
    media = finished(drawn.saved(drawn.photo(900, 600), "JPEG"), jobs_queue)
    page = page_of(written(f'![A cat]({illustrating.address(media)} "My cat")'))

    first, second = re.findall(r'<source type="([^"]+)" srcset="([^"]+)" sizes="([^"]+)" />', page)
    assert (first[0], second[0]) == ("image/avif", "image/webp")
    assert f"{storage.url(media.key + '-736.avif')} 736w" in first[1]
    assert first[2] == "(max-width: 620px) 100vw, 620px"
    assert f'<img src="{storage.url(media.file_name)}" alt="A cat" width="900" height="600" loading="lazy" />' in page
    assert page.count("<picture>") == page.count("</picture>") == 1
    assert "-900.jpg" not in page


@pytest.mark.parametrize(
    ("size", "shown"),
    [("{width=300}", (300, 200)), ("{height=100}", (150, 100)), ("{width=300 height=300}", (300, 200))],
)
def test_the_author_s_width_wins_and_the_picture_keeps_its_shape(size: str, shown: tuple[int, int]) -> None:
    media = kept(drawn.saved(drawn.photo(1500, 1000), "JPEG"))
    post = written(f"![A cat]({illustrating.address(media)}){size}")

    for rendering in (mail_of(post), page_of(post)):
        [img] = re.findall(r'<img[^>]*alt="A cat"[^>]*>', rendering)
        assert f'width="{shown[0]}"' in img
        assert f'height="{shown[1]}"' in img


def test_a_picture_shown_small_in_mail_is_sent_no_larger_than_sharp() -> None:
    media = kept(drawn.saved(drawn.photo(1500, 1000), "JPEG"))

    assert f"{media.key}-552.jpg" in mail_of(written(f"![A cat]({illustrating.address(media)}){{width=200}}"))


def test_a_picture_in_a_list_in_a_note_and_in_a_link_is_found_as_well() -> None:
    media = kept(drawn.saved(drawn.photo(800, 500), "JPEG"))
    address = illustrating.address(media)
    in_a_link = f"[![In a link]({address})](https://example.com)"
    post = written(f"- one ![In a list]({address})\n\n{in_a_link}\n\nText.[^1]\n\n[^1]: ![In a note]({address})")

    page = page_of(post)

    assert page.count('width="800" height="500"') == 3


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example.com/cat.jpg",
        "https://elsewhere.example.com/media/0123456789abcdef0123456789abcdef.jpg",
        "http://letters.example.org/media/0123456789abcdef0123456789abcdef.png",
    ],
)
def test_pictures_from_elsewhere_stay_as_they_are(address: str) -> None:
    kept(drawn.saved(drawn.photo(800, 500), "JPEG"))

    assert f'<img src="{address}" alt="A dog" loading="lazy" />' in page_of(written(f"![A dog]({address})"))


def test_a_picture_written_down_before_the_site_moved_is_still_ours() -> None:
    media = kept(drawn.saved(drawn.photo(800, 500), "JPEG"))

    page = page_of(written(f"![A cat](https://old-name.example.net/media/{media.file_name})"))

    assert f'<img src="{storage.url(media.file_name)}" alt="A cat" width="800" height="500"' in page


def test_what_is_already_in_the_database_is_still_shown(app: Flask) -> None:
    given = drawn.saved(drawn.drawing(20, 10))
    before = Media(publication_id=1, key="ab" * 16, content_type="image/png", width=20, height=10, content=given)
    db.session.add(before)
    db.session.commit()

    answer = app.test_client().get(f"/media/{before.key}.png")

    assert answer.data == given
    assert answer.headers["Content-Type"] == "image/png"


def test_files_are_shown_for_ever_and_cannot_act(app: Flask, jobs_queue: JobQueue) -> None:
    media = finished(drawn.saved(drawn.photo(600, 400), "JPEG"), jobs_queue)

    for file in media.files:
        answer = app.test_client().get(f"/media/{file.name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == file.content_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "Set-Cookie" not in answer.headers


def test_nothing_else_of_the_disk_can_be_had(app: Flask) -> None:
    folder = config.settings().data_dir
    (folder / "secret.png").write_bytes(b"secret")
    (folder / "media").mkdir(exist_ok=True)
    (folder / "media" / "secret.png").write_bytes(b"secret")
    client = app.test_client()

    for name in (
        "secret.png",
        "../secret.png",
        "..%2Fsecret.png",
        "%2e%2e/secret.png",
        "..%5Csecret.png",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        f"{'0' * 32}.png",
        f"{'0' * 32}-1472.svg",
        f"{'0' * 32}.png%00.html",
        f"{'0' * 32}-..%2F..%2Fsecret.png",
    ):
        answer = client.get(f"/media/{name}")
        assert answer.status_code == 404, name
        assert b"secret" not in answer.data


def test_files_lie_in_the_data_folder_unless_told_otherwise(app: Flask) -> None:
    media = kept(drawn.saved(drawn.drawing(300, 200)))

    assert (Path(config.settings().data_dir) / "media" / media.file_name).is_file()


def test_a_picture_that_is_heavy_in_mail_is_named_before_it_is_sent() -> None:
    media = kept(drawn.saved(drawn.photo(), "JPEG"))
    post = written(f"![A cat asleep]({illustrating.address(media)})")
    assert "heavy_picture" not in {finding.code for finding in preflight.problems(post)}

    for file in media.files:
        file.size = 640_000
    db.session.commit()

    found = [finding for finding in preflight.problems(post) if finding.code == "heavy_picture"]
    assert [(finding.line, "640 kB" in finding.sentence) for finding in found] == [(5, True)]

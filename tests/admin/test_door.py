"""Who gets in, and what a stranger can do: nothing."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from newsletter import config
from newsletter.accounts.models import Role, StaffSession, User
from newsletter.admin import guard
from newsletter.db import db
from tests.admin.conftest import PASSWORD, seen, sign_in

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def desk_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk")]


def address(rule: Rule) -> str:
    return re.sub(r"<int:[^>]+>", "1", re.sub(r"<(?!int:)[^>]+>", "mail", rule.rule))


def test_a_stranger_gets_nowhere_but_to_the_sign_in_page(app: Flask, ken: User, client: FlaskClient) -> None:
    rules = desk_rules(app)
    assert len(rules) > 40

    for rule in rules:
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = client.open(address(rule), method=method)
            if rule.endpoint == "admin.sign_in":
                assert answer.status_code in (200, 422)
            elif method in UNSAFE:
                assert answer.status_code == 403, (method, rule.rule)
                assert "nothing was saved" in answer.text
            else:
                assert answer.status_code == 302, (method, rule.rule)
                assert answer.headers["Location"].startswith("/desk/sign-in")


def test_no_unsafe_request_passes_without_its_token(
    app: Flask, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)

    refused = 0
    for rule in desk_rules(app):
        for method in (rule.methods or set()) & UNSAFE:
            assert desk.open(address(rule), method=method).status_code == 400, (method, rule.rule)
            refused += 1

    assert refused > 20
    assert db.session.scalar(select(StaffSession)) is not None  # “sign out” was not done either


def test_the_token_of_another_browser_is_worth_nothing(
    app: Flask, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    with app.app_context():  # of its own: what one browser is given is not remembered for the next
        strangers = token_in(app.test_client().get("/desk/sign-in"))

    with app.app_context():
        answer = desk.post("/desk/account/sign-out-everywhere", data={"csrf_token": strangers})
    with app.app_context():
        own = desk.post("/desk/account/sign-out-everywhere", data={"csrf_token": token_in(desk.get("/desk/account"))})

    assert answer.status_code == 400
    assert own.status_code == 302


def test_signing_in_needs_a_token_too_and_works_with_it(
    app: Flask, ken: User, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)

    without = sign_in(client)
    with app.app_context():
        with_token = sign_in(client, csrf_token=token_in(client.get("/desk/sign-in")))

    assert without.status_code == 400
    assert with_token.status_code == 302


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def test_every_page_of_the_desk_is_kept_out_of_caches_and_frames(app: Flask, desk: FlaskClient) -> None:
    for path in ("/desk/posts", "/desk/readers", "/desk/account", "/desk/posts/999"):
        headers = desk.get(path).headers

        assert headers["Cache-Control"] == "no-store"
        assert "Cookie" in headers["Vary"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_cookie_of_a_session_is_out_of_reach_for_scripts_and_other_sites(ken: User, client: FlaskClient) -> None:
    cookie = staff_cookie(sign_in(client))

    assert cookie.startswith("staff=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_over_https_the_cookie_belongs_to_this_host_alone(
    ken: User, client: FlaskClient, settings: config.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = settings.model_copy(update={"site_url": "https://letters.example.org"})
    monkeypatch.setattr(guard, "settings", lambda: secure)
    monkeypatch.setattr("newsletter.admin.sign_in.settings", lambda: secure)

    cookie = staff_cookie(sign_in(client))

    assert cookie.startswith("__Host-staff=")
    assert "Secure" in cookie


def staff_cookie(answer: TestResponse) -> str:
    return next(cookie for cookie in answer.headers.getlist("Set-Cookie") if "staff" in cookie)


def test_each_sign_in_is_a_new_session_and_replaces_the_one_before(ken: User, client: FlaskClient) -> None:
    first = staff_cookie(sign_in(client))
    second = staff_cookie(sign_in(client))

    assert first != second
    assert len(db.session.scalars(select(StaffSession)).all()) == 1


def test_a_cookie_that_someone_planted_signs_nobody_in(ken: User, client: FlaskClient) -> None:
    client.set_cookie("staff", "planted", domain="letters.example.org")
    sign_in(client)

    planted = client.application.test_client()
    planted.set_cookie("staff", "planted", domain="letters.example.org")

    assert planted.get("/desk/posts").status_code == 302
    assert client.get("/desk/posts").status_code == 200


def test_signing_out_ends_the_session_on_the_server(desk: FlaskClient) -> None:
    secret = desk.get_cookie("staff", domain="letters.example.org")
    assert secret is not None

    desk.post("/desk/sign-out")
    desk.set_cookie("staff", secret.value, domain="letters.example.org")

    assert desk.get("/desk/posts").status_code == 302


def test_after_signing_in_one_is_where_one_wanted_to_be(ken: User, client: FlaskClient) -> None:
    asked = client.get("/desk/readers?state=left")
    shown = client.get(asked.headers["Location"])

    assert 'value="/desk/readers?state=left"' in shown.text
    assert sign_in(client, next="/desk/readers?state=left").headers["Location"] == "/desk/readers?state=left"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/desk",
        "//evil.example/desk",
        "/\\evil.example",
        "\\\\evil.example",
        "/desk\\@evil.example",
        "javascript:alert(1)",
        "/desk/\r\nLocation: https://evil.example",
        "https:/desk/posts",
        "/deskevil",
        "/leave/abc",
        "",
    ],
)
def test_signing_in_sends_nobody_elsewhere(ken: User, client: FlaskClient, wanted: str) -> None:
    answer = sign_in(client, next=wanted)

    assert answer.headers["Location"] == "/desk/"


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(ken: User, client: FlaskClient) -> None:
    wrong = sign_in(client, password="not the password")
    unknown = sign_in(client, email="nobody@example.com")

    def page(answer: TestResponse) -> str:
        return re.sub(r'value="[^"]*@example.com"|value="[^"]{60,}"', "", answer.text)

    assert wrong.status_code == unknown.status_code == 422
    assert page(wrong) == page(unknown)
    assert "Set-Cookie" not in wrong.headers or "staff" not in wrong.headers["Set-Cookie"]


def test_guessing_is_stopped_whatever_address_the_guesser_claims_to_have(ken: User, client: FlaskClient) -> None:
    answers = [
        client.post(
            "/desk/sign-in",
            data={"email": "ken@example.com", "password": f"guess number {number}"},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        ).status_code
        for number in range(15)
    ]

    assert answers[:10] == [422] * 10
    assert answers[10:] == [429] * 5
    assert sign_in(client).status_code == 429


def test_guessing_one_password_for_many_accounts_is_stopped_too(ken: User, client: FlaskClient) -> None:
    answers = [
        sign_in(client, email=f"someone{number}@example.com", password="a common password").status_code
        for number in range(25)
    ]

    assert answers.count(422) == 20
    assert answers[20:] == [429] * 5


def test_a_form_sent_after_the_session_ended_gives_back_what_was_typed(desk: FlaskClient, ken: User) -> None:
    desk.post("/desk/sign-out")

    answer = desk.post("/desk/posts/new", data={"title": "A post", "body": "Three hours of <b>work</b>."})

    assert answer.status_code == 403
    assert "Three hours of <b>work</b>." in seen(answer)
    assert "<b>work</b>" not in answer.text


def test_an_editor_writes_but_does_not_change_settings(desk: FlaskClient, ken: User, app: Flask) -> None:
    ken.role = Role.EDITOR
    db.session.commit()

    assert desk.get("/desk/posts").status_code == 200
    for rule in desk_rules(app):
        if rule.endpoint.startswith("admin.settings."):
            for method in (rule.methods or set()) & {"GET", "POST"}:
                answer = desk.open(address(rule), method=method)
                assert answer.status_code == 403, (method, rule.rule)
                assert "Only an owner" in answer.text


def test_a_changed_password_ends_the_other_sessions_and_only_those(desk: FlaskClient, app: Flask) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere)

    desk.post("/desk/account/password", data={"present": PASSWORD, "new": "another quiet owl"})

    assert desk.get("/desk/posts").status_code == 200
    assert elsewhere.get("/desk/posts").status_code == 302
    assert sign_in(elsewhere).status_code == 422
    assert sign_in(elsewhere, password="another quiet owl").status_code == 302


def test_a_password_is_changed_only_by_who_knows_the_present_one(desk: FlaskClient, app: Flask) -> None:
    wrong = desk.post("/desk/account/password", data={"present": "not this one", "new": "another quiet owl"})
    weak = desk.post("/desk/account/password", data={"present": PASSWORD, "new": "short"})

    assert "That is not your present password." in seen(wrong)
    assert "12 characters or more" in seen(weak)
    assert sign_in(app.test_client()).status_code == 302


def test_one_browser_is_signed_out_from_another(desk: FlaskClient, app: Flask) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere)
    other = db.session.scalars(select(StaffSession.id).order_by(StaffSession.id.desc())).first()

    desk.post(f"/desk/account/sessions/{other}/end")

    assert elsewhere.get("/desk/posts").status_code == 302
    assert desk.get("/desk/posts").status_code == 200

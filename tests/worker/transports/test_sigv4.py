"""Our signatures against those that Amazon has published."""

from datetime import UTC, datetime

import pytest

from worker.transports.http import Request
from worker.transports.sigv4 import Credentials, signed

SUITE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
STORAGE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def authorization(request: Request) -> str:
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    return signed(request, "example.amazonaws.com", SUITE, "us-east-1", "service", moment).headers["authorization"]


@pytest.mark.parametrize(
    ("request_", "names", "signature"),
    [
        (
            Request("GET", "/", {}),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            Request("GET", "/?Param2=value2&Param1=value1", {}),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            Request("POST", "/", {}),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            Request("POST", "/", FORM, b"Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            Request("GET", "/", {"My-Header1": "value2,value2,value1"}),
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
    ],
    ids=["vanilla", "query", "post", "form", "header"],
)
def test_the_signature_is_the_one_of_the_published_suite(request_: Request, names: str, signature: str) -> None:
    assert authorization(request_) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_the_signature_is_the_one_of_the_storage_manual() -> None:
    request = Request("GET", "/test.txt", {"Range": "bytes=0-9", "X-Amz-Content-Sha256": EMPTY})
    moment = datetime(2013, 5, 24, tzinfo=UTC)
    told = signed(request, "examplebucket.s3.amazonaws.com", STORAGE, "us-east-1", "s3", moment)
    assert told.headers["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_session_token_is_sent_and_signed() -> None:
    credentials = Credentials(SUITE.key, SUITE.secret, "a-token")
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    told = signed(Request("GET", "/", {}), "example.amazonaws.com", credentials, "us-east-1", "service", moment)
    assert told.headers["x-amz-security-token"] == "a-token"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in told.headers["authorization"]

"""Headers: nothing ends one early, and nobody but the sender frames the message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.delivery.network.transport import USER_AGENT, Answer, compose_headers
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.header_rules import check_header


def test_the_headers_of_a_request_stand_in_one_order() -> None:
    assert compose_headers(
        "https://a.test:8443/hook", content_length=12, extra=[("X-B", "2"), ("X-A", "1")]
    ) == (
        ("Host", "a.test:8443"),
        ("Content-Type", "application/json"),
        ("Content-Length", "12"),
        ("User-Agent", USER_AGENT),
        ("X-B", "2"),
        ("X-A", "1"),
    )


def test_the_sender_names_itself_and_its_version() -> None:
    assert USER_AGENT.startswith("leanbe-emitter/")


def test_an_extra_header_takes_the_place_of_the_senders_own() -> None:
    headers = compose_headers(
        "http://a.test/", content_length=0, extra=[("user-agent", "x"), ("HOST", "b.test")]
    )
    assert headers == (
        ("HOST", "b.test"),
        ("Content-Type", "application/json"),
        ("Content-Length", "0"),
        ("user-agent", "x"),
    )


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nY", "Ü", "X\x00"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="cannot be the name"):
        check_header(name, "x")


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "CONNECTION", "Expect"])
def test_a_header_that_frames_the_message_is_the_senders_own(name: str) -> None:
    with pytest.raises(InvalidValue, match="frames the message"):
        check_header(name, "x")


@pytest.mark.parametrize(
    "value", ["s3cret\r\nX: y", "s3cret\n", "s3cret\x00", "s3cret€", "\x7fs3cret"]
)
def test_a_value_that_could_end_the_header_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(InvalidValue, match="X-Token") as caught:
        check_header("X-Token", value)
    assert "s3cret" not in str(caught.value)


def test_white_space_round_a_value_is_taken_off() -> None:
    assert check_header("X-A", "\t a b ") == ("X-A", "a b")


@given(st.text(), st.text())
def test_an_accepted_header_is_one_line_of_latin_1(name: str, value: str) -> None:
    try:
        header = check_header(name, value)
    except InvalidValue:
        return
    line = f"{header[0]}: {header[1]}".encode("latin-1")
    assert b"\r" not in line
    assert b"\n" not in line


def test_a_header_of_an_answer_is_found_in_any_case() -> None:
    answer = Answer(status=503, headers=(("retry-AFTER", "7"), ("Retry-After", "8")))
    assert answer.header("Retry-After") == "7"
    assert answer.header("Location") is None

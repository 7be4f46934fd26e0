"""Answers, read from bytes alone: however they are cut, and whatever is in them."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leanbe_emitter.delivery.network.answer_reader import (
    AnswerReader,
    KnownAnswers,
    NotHttp,
    TooLong,
)
from leanbe_emitter.delivery.network.transport import Answer, AnswerLimits

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;note=x\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: dropped\r\n\r\n"
)
EARLY_HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + LENGTH
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nX-Empty:\r\nX-B: \xe9\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
WHOLE = [LENGTH, CHUNKED, EARLY_HINTS, NO_CONTENT, NOT_MODIFIED]


def reader(*, answer_bytes: int = 1000, header_bytes: int = 1000) -> AnswerReader:
    return AnswerReader(AnswerLimits(answer_bytes=answer_bytes, header_bytes=header_bytes))


def feed(one: AnswerReader, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        one.feed(piece)


def read(data: bytes) -> Answer:
    one = reader()
    assert one.feed(data)
    return one.answer()


def test_an_answer_with_a_length() -> None:
    assert read(LENGTH) == Answer(
        status=200,
        reason="OK",
        headers=(("Content-Length", "5"), ("X-A", "b")),
        body=b"hello",
        body_length=5,
    )


def test_chunks_are_joined_and_trailers_dropped() -> None:
    answer = read(CHUNKED)
    assert answer.body == b"hello"
    assert answer.headers == (("Transfer-Encoding", "chunked"),)


def test_a_1xx_is_passed_over_and_the_final_answer_read_by_the_same_parser() -> None:
    assert read(EARLY_HINTS) == read(LENGTH)


@pytest.mark.parametrize("data", [NO_CONTENT, NOT_MODIFIED])
def test_a_204_and_a_304_have_no_body_whatever_their_length_says(data: bytes) -> None:
    assert read(data).body_length == 0


def test_empty_and_latin_1_values_are_kept_as_they_came() -> None:
    assert read(NO_CONTENT).headers == (("X-Empty", ""), ("X-B", "é"))


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 120)))
def test_an_answer_is_the_same_wherever_it_is_cut(data: bytes, cuts: list[int]) -> None:
    one = reader()
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    complete = [one.feed(data[a:b]) for a, b in itertools.pairwise(edges) if a < b]
    assert complete == [False] * (len(complete) - 1) + [True]
    assert one.answer() == read(data)


@pytest.mark.parametrize("data", WHOLE)
def test_one_reader_goes_on_to_the_next_answer(data: bytes) -> None:
    one = reader()
    for _ in range(3):
        one.expect()
        assert one.feed(data)
        assert one.is_tidy
        assert one.answer() == read(data)


@pytest.mark.parametrize("data", WHOLE)
@pytest.mark.parametrize("surplus", [b"x", b"\r\n", b"\n", b"\r\n\r\n", LENGTH, b"HTTP/1.1 1"])
def test_bytes_after_a_complete_answer_are_noticed_and_change_nothing(
    data: bytes, surplus: bytes
) -> None:
    one = reader()
    assert one.feed(data + surplus)
    assert not one.is_tidy
    assert one.answer() == read(data)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_an_answer_after_which_there_is_no_other_says_so(head: bytes) -> None:
    one = reader()
    assert one.feed(head)
    assert not one.is_tidy


@pytest.mark.parametrize("coding", [b"", b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n"])
def test_an_answer_without_a_length_ends_with_the_connection(coding: bytes) -> None:
    one = reader()
    assert not one.feed(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\nhello ")
    assert not one.feed(b"world")
    assert one.end()
    assert not one.is_tidy
    assert one.answer().body == b"hello world"


@pytest.mark.parametrize("data", WHOLE)
def test_an_answer_that_is_cut_off_is_not_complete(data: bytes) -> None:
    one = reader()
    one.feed(data[:-1])
    assert not one.end()


def test_bytes_beyond_the_cap_are_counted_and_dropped() -> None:
    one = reader(answer_bytes=4)
    one.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    one.feed(b"def")
    assert one.feed(b"ghi")
    assert (one.answer().body, one.answer().body_length) == (b"abcd", 9)
    assert one.is_tidy


def test_headers_beyond_the_cap_are_dropped_and_still_frame_the_answer() -> None:
    one = reader(header_bytes=8)
    assert not one.feed(b"HTTP/1.1 200 OK\r\nX-A: 12345\r\nContent-Length: 1\r\n\r\n")
    assert one.feed(b"x")
    assert one.is_tidy
    assert one.answer().headers == (("X-A", "12345"),)


def test_a_head_that_never_ends_is_given_up() -> None:
    one = reader()
    one.feed(b"HTTP/1.1 200 OK\r\nX-A: ")
    with pytest.raises(NotHttp, match="256 KiB"):
        feed(one, [b"x" * 1024] * 300)


def test_trailers_that_never_end_are_given_up() -> None:
    one = reader()
    one.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    with pytest.raises(NotHttp, match="256 KiB"):
        feed(one, [b"X-A: " + b"x" * 1024 + b"\r\n"] * 300)


def test_chunk_headers_count_for_the_whole_answer_however_much_body_comes_between() -> None:
    one = reader()
    one.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = [b"1;note=" + b"x" * 1024 + b"\r\n", b"y", b"\r\n"]
    feed(one, chunk * 200)
    with pytest.raises(NotHttp, match="256 KiB"):
        feed(one, chunk * 100)


def test_interim_answers_count_for_the_whole_answer_however_many_come() -> None:
    one = reader()
    feed(one, [b"HTTP/1.1 100 Continue\r\n\r\n"] * 100)
    assert one.feed(LENGTH)
    one.expect()
    with pytest.raises(NotHttp, match="256 KiB"):
        feed(one, [b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 100] * 100)


def test_an_answer_is_given_up_after_16_mebibytes() -> None:
    one = reader()
    one.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(TooLong, match="more than 16 MiB"):
        feed(one, [b"x" * (1 << 20)] * 17)
    assert not one.is_tidy
    assert one.answer().body_length == 16 << 20


@pytest.mark.parametrize(
    "data",
    [
        b"220 mail.test ESMTP\r\n",
        b"\x16\x03\x01\x02\x00",
        b"<html>",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n",
    ],
)
def test_bytes_that_are_no_http_raise_not_http(data: bytes) -> None:
    with pytest.raises(NotHttp):
        reader().feed(data)


@given(st.lists(st.binary() | st.sampled_from(WHOLE)))
@example([b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n"])
def test_any_bytes_give_an_answer_in_time_or_are_no_http(pieces: list[bytes]) -> None:
    one = reader()
    try:
        for piece in pieces:
            if one.feed(piece):
                break
    except NotHttp:
        assert not one.is_tidy


# Answers that are repeated.


OTHER = Answer(status=418)


def known_after(data: bytes, **limits: int) -> KnownAnswers:
    """Return what is remembered once an answer has come, in one piece."""
    known = KnownAnswers()
    one = AnswerReader(AnswerLimits(**limits), known)
    one.feed(data)
    one.answer()
    return known


@pytest.mark.parametrize("data", WHOLE)
def test_an_answer_that_came_in_one_piece_is_remembered_by_its_bytes(data: bytes) -> None:
    assert known_after(data).of(data) == read(data)


def test_the_same_bytes_are_not_parsed_again() -> None:
    known = KnownAnswers()
    known.add(LENGTH, OTHER)
    one = AnswerReader(AnswerLimits(), known)
    assert one.feed(LENGTH)
    assert (one.has_head, one.is_complete, one.is_tidy) == (True, True, True)
    assert one.answer() is OTHER


def test_an_answer_that_is_repeated_can_have_a_remark_of_its_own() -> None:
    known = known_after(LENGTH)
    one = AnswerReader(AnswerLimits(), known)
    one.feed(LENGTH)
    assert one.answer(remark="early").remark == "early"
    assert known.of(LENGTH) == read(LENGTH)


@pytest.mark.parametrize("data", WHOLE)
def test_the_end_of_an_answer_is_found_wherever_its_bytes_are_cut(data: bytes) -> None:
    for cut in range(1, len(data)):
        one = reader()
        feed(one, [data[:cut], data[cut:]])
        assert (one.is_complete, one.is_tidy) == (True, True), cut


@given(st.lists(st.sampled_from(WHOLE), min_size=1), st.lists(st.integers(0, 200), max_size=5))
def test_one_reader_reads_a_row_of_answers_the_same_whatever_it_remembers(
    answers: list[bytes], cuts: list[int]
) -> None:
    one = AnswerReader(AnswerLimits(answer_bytes=1000, header_bytes=1000), KnownAnswers())
    for number, data in enumerate(answers):
        one.expect()
        cut = cuts[number] if number < len(cuts) else 0
        feed(one, [piece for piece in (data[:cut], data[cut:]) if piece])
        assert one.is_complete
        assert one.is_tidy
        assert one.answer() == read(data)


def test_an_answer_is_remembered_only_where_it_came_whole_and_alone() -> None:
    known = KnownAnswers()
    one = AnswerReader(AnswerLimits(), known)
    feed(one, [EARLY_HINTS[:30], EARLY_HINTS[30:]])
    one.answer()
    known_surplus = known_after(LENGTH + b"x")
    known_last = known_after(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert [each._answers for each in (known, known_surplus, known_last)] == [{}, {}, {}]


def test_an_answer_with_a_remark_is_not_remembered() -> None:
    known = KnownAnswers()
    one = AnswerReader(AnswerLimits(), known)
    one.feed(LENGTH)
    one.answer(remark="it came before the whole request was out")
    assert known.of(LENGTH) is None


def test_long_answers_are_not_remembered_and_of_short_ones_not_too_many() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    assert known_after(long).of(long) is None
    known = KnownAnswers()
    for number in range(3000):
        known.add(b"%d" % number, OTHER)
    assert known.of(b"2999") is OTHER
    assert len(known._answers) <= 1024

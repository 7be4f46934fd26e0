"""A WSGI app in this process: the protocol, answers, errors, and what blocks."""

import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from leanbe_emitter.delivery.in_process.wsgi import WsgiTransport, environ
from leanbe_emitter.delivery.network.transport import Answer, AnswerLimits, Unknown
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.in_process_apps import SOON, URL, block_thread, described_errors
from tests.support.network_sender import BODY, post
from tests.support.waiting import PATIENCE_SECONDS

Environ = dict[str, Any]
Start = Callable[..., Any]


def transport(app: Callable[[Environ, Start], Iterable[bytes]], **options: Any) -> WsgiTransport:
    return WsgiTransport(app, **{"answer_seconds": PATIENCE_SECONDS, **options})


def app_that_answers(
    *pieces: bytes, status: str = "200 OK"
) -> Callable[[Environ, Start], Iterable[bytes]]:
    """Return an app that answers with these pieces."""

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response(status, [("X-A", "1"), ("X-A", "2")])
        return pieces

    return app


def test_the_environ_is_complete() -> None:
    sent = post(
        "https://testserver:2/caf%C3%A9/a%20b?c=%20d",
        extra=(("X-Tag", "1"), ("x-tag", "2"), ("Content-Type", "application/json; v=1")),
    )
    given = environ(sent)
    body = given.pop("wsgi.input")
    assert body.read() == BODY
    assert given.pop("HTTP_USER_AGENT").startswith("leanbe-emitter/")
    assert given == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9/a b",
        "QUERY_STRING": "c=%20d",
        "REQUEST_URI": "/caf%C3%A9/a%20b?c=%20d",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "2",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "CONTENT_TYPE": "application/json; v=1",
        "CONTENT_LENGTH": str(len(BODY)),
        "HTTP_HOST": "testserver:2",
        "HTTP_X_TAG": "1,2",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def test_the_answer_comes_back_whole() -> None:
    answer = transport(app_that_answers(b"he", b"", b"llo", status="201 Made")).call(post(URL))
    assert answer == Answer(
        status=201,
        reason="Made",
        headers=(("X-A", "1"), ("X-A", "2")),
        body=b"hello",
        body_length=5,
    )


def test_an_answer_is_kept_up_to_the_caps() -> None:
    limits = AnswerLimits(answer_bytes=4, header_bytes=5)
    answer = transport(app_that_answers(b"abc", b"def"), limits=limits).call(post(URL))
    assert (answer.body, answer.body_length, answer.headers) == (b"abcd", 6, (("X-A", "1"),))


def test_it_is_called_on_the_thread_of_whoever_sends() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        threads.append(threading.current_thread())
        return app_that_answers()(environ, start_response)

    threads = list[threading.Thread]()
    answer = drive(transport(app).send(post(URL)))  # no loop has to run
    assert answer.status == 200
    assert threads == [threading.current_thread()]


def test_the_iterable_is_closed_after_the_last_piece() -> None:
    class Closing:
        def __init__(self) -> None:
            self.steps = list[str]()

        def __iter__(self) -> Iterator[bytes]:
            self.steps.append("piece")
            yield b"x"
            self.steps.append("end")

        def close(self) -> None:
            self.steps.append("closed")

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])
        return pieces

    pieces = Closing()
    transport(app).call(post(URL))
    assert pieces.steps == ["piece", "end", "closed"]


def test_the_iterable_is_closed_where_it_raises() -> None:
    class Failing:
        is_closed = False

        def __iter__(self) -> Iterator[bytes]:
            raise ValueError("broken")

        def close(self) -> None:
            self.is_closed = True

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])
        return pieces

    pieces = Failing()
    assert transport(app).call(post(URL)).status == 500
    assert pieces.is_closed


def test_written_bytes_come_before_returned_ones() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        write = start_response("200 OK", [])
        write(b"one ")
        return [b"two"]

    assert transport(app).call(post(URL)).body == b"one two"


def test_a_start_in_the_midst_of_the_iterable_counts() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("202 Accepted", [])
        yield b""
        yield b"later"

    answer = transport(app).call(post(URL))
    assert (answer.status, answer.body) == (202, b"later")


def test_an_error_may_replace_the_head_and_is_kept() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])
        try:
            fail("no such idea")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return [b"sorry"]

    to_app = transport(app)
    answer = to_app.call(post(URL))
    assert (answer.status, answer.reason, answer.body) == (500, "Oh", b"sorry")
    assert answer.remark.startswith("the app raised ValueError: no such idea (at ")
    assert described_errors(to_app.errors.take()) == ["ValueError: no such idea (request)"]


def test_an_error_after_the_head_went_out_is_raised_again() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])(b"abc")
        try:
            fail("too late")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return []

    with pytest.raises(Unknown, match="the answer broke off: the app raised ValueError: too") as it:
        transport(app).call(post(URL))
    assert it.value.answer is not None
    assert (it.value.answer.status, it.value.answer.body) == (200, b"abc")


def test_an_error_in_the_app_is_a_500_on_record_and_kept() -> None:
    def app(_: Environ, __: Start) -> Iterable[bytes]:
        raise ValueError("no such idea")

    to_app = transport(app)
    answer = to_app.call(post(URL))
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert "test_wsgi.py" in answer.remark
    (app_error,) = to_app.errors.take()
    assert (str(app_error.error), app_error.during, app_error.url) == (
        "no such idea",
        "request",
        URL,
    )


def test_an_outcome_of_a_test_framework_in_a_wsgi_app_is_kept_too() -> None:
    def app(_: Environ, __: Start) -> Iterable[bytes]:
        pytest.fail("not this event")

    to_app = transport(app)
    assert to_app.call(post(URL)).status == 500
    assert described_errors(to_app.errors.take()) == ["Failed: not this event (request)"]


def fail(why: str) -> None:
    raise ValueError(why)


def silent(environ: Environ, start_response: Start) -> Iterable[bytes]:
    del environ, start_response
    return []


def twice(environ: Environ, start_response: Start) -> Iterable[bytes]:
    del environ
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def without_status(environ: Environ, start_response: Start) -> Iterable[bytes]:
    del environ
    start_response("OK", [])
    return []


def without_names(environ: Environ, start_response: Start) -> Iterable[bytes]:
    del environ
    start_response("200 OK", [(b"a", b"b")])
    return []


def with_text(environ: Environ, start_response: Start) -> Iterable[bytes]:
    del environ
    start_response("200 OK", [])
    return ["text"]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (silent, "without a call of start_response"),
        (twice, "start_response was called a second time"),
        (without_status, "must look like '200 OK', and not 'OK'"),
        (without_names, "must be pairs of str"),
        (with_text, "must be bytes, and not 'text'"),
    ],
)
def test_an_app_that_breaks_the_protocol_gets_a_500(
    app: Callable[[Environ, Start], Iterable[bytes]], said: str
) -> None:
    answer = transport(app).call(post(URL))
    assert answer.status == 500
    assert said in answer.remark


def test_an_answer_shorter_than_its_content_length_is_unknown() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [("Content-Length", "3")])
        return [b"xy"]

    with pytest.raises(Unknown, match="it returned without a complete answer"):
        transport(app).call(post(URL))


def test_a_blocking_app_is_interrupted_at_the_deadline_and_its_line_is_named() -> None:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        del environ
        start_response("200 OK", [])(b"abc")
        block_thread()
        return []

    to_app = transport(app, answer_seconds=SOON)
    with pytest.raises(Unknown) as caught:
        to_app.call(post(URL))
    assert (
        f"within {SOON:g} s: the app blocks at tests/support/in_process_apps.py"
        in caught.value.reason
    )
    assert "in block_thread: time.sleep(20)" in caught.value.reason
    assert caught.value.answer is not None
    assert caught.value.answer.body == b"abc"
    assert to_app.errors.take() == []


def test_outside_the_main_thread_a_late_answer_is_unknown() -> None:
    allowed, taken = 0.05, 0.3

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        threading.Event().wait(taken)
        return app_that_answers()(environ, start_response)

    def call() -> None:
        try:
            transport(app, answer_seconds=allowed).call(post(URL))
        except Unknown as error:
            reasons.append(error.reason)

    reasons = list[str]()
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    (reason,) = reasons
    said = re.fullmatch(r"no complete answer within 0\.05 s: it came after (\d+\.\d) s", reason)
    assert said
    assert float(said[1]) >= taken


def test_an_interrupt_of_the_users_ends_the_call_and_is_no_error_of_the_apps() -> None:
    def app(_: Environ, __: Start) -> Iterable[bytes]:
        raise KeyboardInterrupt

    to_app = transport(app)
    with pytest.raises(KeyboardInterrupt):
        to_app.call(post(URL))
    assert to_app.errors.take() == []

"""A request as code: whichever form is run, the receiver gets the same bytes again."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from leanbe_emitter import Delivery, InvalidValue, Leanbe, NotFound
from leanbe_emitter.delivery.network.code_forms import CodeForm
from tests.support.loopback_receiver import LoopbackReceiver, Request
from tests.support.warm_process import path_of_shells

#: Headers that clients write themselves, or need not send.
_OWN = {"host", "content-length", "connection", "accept", "accept-encoding", "accept-language"}
_OWN |= {"user-agent", "sec-fetch-mode"}


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    with LoopbackReceiver.listening() as receiver:
        yield receiver


@pytest.fixture
def delivery(receiver: LoopbackReceiver) -> Iterator[Delivery]:
    with Leanbe() as leanbe:
        headers = [("X-Quote", 'it\'s "here" $HOME')]
        product = leanbe.products.create("Acme")
        leanbe.webhooks.set(product, receiver.url, headers=headers)
        yield leanbe.trigger("idea.created", set={"title": "it's $HOME `id` \\ 😀 '''"})


def _own_headers(request: Request) -> dict[str, str]:
    names = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in names.items() if name not in _OWN}


def _run_pytest(code: str, _: Path) -> None:
    module: dict[str, object] = {}
    exec(code, module)  # noqa: S102 - our own code
    (test,) = [each for name, each in module.items() if name.startswith("test_")]
    assert callable(test)
    test()


def _run_http(code: str, _: Path) -> None:
    host = next(line for line in code.splitlines() if line.startswith("Host: "))
    address = urlsplit(f"//{host.removeprefix('Host: ')}")
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(code.encode())
        assert connection.recv(12) == b"HTTP/1.1 204"


def _run_node(code: str, folder: Path) -> None:
    file = folder / "receiver.test.mjs"
    file.write_text(code, "utf-8")
    subprocess.run(["node", str(file)], check=True, stdout=subprocess.DEVNULL)


def _run_in_shell(code: str, folder: Path) -> None:
    environment = {"PATH": path_of_shells(), "HOME": str(folder)}
    subprocess.run(["sh", "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("form", "run"),
    [
        (CodeForm.PYTEST, _run_pytest),
        (CodeForm.HTTP, _run_http),
        pytest.param(CodeForm.CURL, _run_in_shell, marks=pytest.mark.curl),
        pytest.param(CodeForm.NODE, _run_node, marks=pytest.mark.node),
        (CodeForm.COMMAND, _run_in_shell),
    ],
)
def test_each_form_sends_the_same_request_again(
    form: CodeForm, run: object, delivery: Delivery, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    if form in {CodeForm.NODE, CodeForm.CURL} and shutil.which(form) is None:
        pytest.skip(f"{form} is not installed")
    assert callable(run)
    code = delivery.code(form)
    run(code.text, tmp_path)
    first, again = receiver.requests
    assert (again.method, again.path, again.body) == (first.method, first.path, first.body)
    assert _own_headers(again) == _own_headers(first)
    assert not code.is_masked
    if form in {CodeForm.CURL, CodeForm.HTTP}:
        return  # they show the answer, whatever it is
    receiver.statuses.append(409)
    with pytest.raises((AssertionError, HTTPError, subprocess.CalledProcessError)):
        run(code.text, tmp_path)


def test_code_says_that_a_value_is_masked_and_knows_each_attempt(delivery: Delivery) -> None:
    for form in CodeForm:
        code = delivery.code(form, attempt=1, masks=True)
        assert (code.is_masked, '$HOME"' in code.text) == (True, False)
        assert "********" in code.text
    with pytest.raises(NotFound, match="no attempt 2"):
        delivery.code(attempt=2)
    with pytest.raises(InvalidValue, match="no form"):
        delivery.code("perl")

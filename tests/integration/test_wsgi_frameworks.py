"""Real WSGI frameworks, and the test clients of frameworks, as receivers in this process."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from leanbe_emitter.delivery.in_process.detect import transport_for
from leanbe_emitter.delivery.network.transport import Unknown
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.event_loops import run_in_loop
from tests.support.framework_apps import (
    bottle_app,
    django_asgi_app,
    django_client,
    django_wsgi_app,
    flask_app,
    flask_client,
    litestar_client,
    starlette_client,
)
from tests.support.in_process_apps import SOON, described_errors
from tests.support.network_sender import BODY, post

APPS = [flask_app, bottle_app, django_wsgi_app, django_asgi_app]
CLIENTS = [flask_client, django_client, starlette_client, litestar_client]


@pytest.mark.parametrize("make", [*APPS, *CLIENTS])
def test_the_app_gets_the_body_and_answers(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    answer = drive(transport.send(post("http://testserver/ok")))
    assert transport.errors.take() == []
    assert (answer.status, answer.reason) == (200, "OK")
    assert json.loads(answer.body) == {"length": len(BODY)}
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize("make", [*APPS, *CLIENTS])
def test_an_error_in_the_app_is_a_500_and_kept(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    answer = drive(transport.send(post("http://testserver/raise")))
    assert answer.status == 500
    assert answer.remark.startswith("the app raised ValueError: no such idea (at tests")
    assert described_errors(transport.errors.take()) == ["ValueError: no such idea (request)"]


@pytest.mark.parametrize("make", [*APPS, *CLIENTS])
def test_a_refusal_is_no_error(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    answer = drive(transport.send(post("http://testserver/refuse")))
    assert (answer.status, answer.remark) == (401, "")
    assert transport.errors.take() == []


@pytest.mark.parametrize("make", [*APPS, flask_client, django_client])
def test_a_blocking_view_is_unknown_and_its_line_named(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    drive(transport.send(post("http://testserver/ok")))
    with pytest.raises(Unknown, match=r"blocks at .*: time\.sleep\(20\)"):
        drive(transport.send(post("http://testserver/block", timeout_seconds=SOON)))
    assert transport.errors.take() == []


@pytest.mark.parametrize("make", [flask_app, bottle_app, django_wsgi_app, django_asgi_app])
@run_in_loop
async def test_it_is_called_where_a_loop_runs_too(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    answer = await transport.send(post("http://testserver/ok"))
    assert json.loads(answer.body) == {"length": len(BODY)}
    assert transport.errors.take() == []


@pytest.mark.parametrize("make", [django_wsgi_app, django_asgi_app, django_client])
def test_djangos_views_see_what_an_open_transaction_wrote(make: Callable[[], Any]) -> None:
    transport = transport_for(make(), answer_seconds=10)
    from django.db import connection, transaction  # noqa: PLC0415 - after the settings

    with transaction.atomic():
        connection.cursor().execute("CREATE TABLE seen (name text)")
        connection.cursor().execute("INSERT INTO seen VALUES ('idea')")
        answer = drive(transport.send(post("http://testserver/count")))
        transaction.set_rollback(True)
    assert answer.body == b"1"


def test_a_clients_lifespan_is_its_own_business() -> None:
    with starlette_client() as client:
        transport = transport_for(client, answer_seconds=10)
        answer = drive(transport.send(post("http://testserver/ok")))
    assert answer.status == 200

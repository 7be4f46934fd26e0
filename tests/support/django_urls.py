"""Views and URLs of the Django app in ``framework_apps``."""

import time

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.support.in_process_apps import wait_for_ever


def ok(request: HttpRequest) -> HttpResponse:
    connection.ensure_connection()  # as views do; Django forbids it in a thread with an event loop
    return JsonResponse({"length": len(request.body)})


def fail(_: HttpRequest) -> HttpResponse:
    raise ValueError("no such idea")


async def hang(_: HttpRequest) -> HttpResponse:
    await wait_for_ever()
    return HttpResponse()


def block(_: HttpRequest) -> HttpResponse:
    time.sleep(20)
    return HttpResponse()


async def block_the_loop(_: HttpRequest) -> HttpResponse:
    time.sleep(20)  # noqa: ASYNC251 - the mistake that the test needs
    return HttpResponse()


def refuse(_: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401)


def count(_: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM seen")
        return HttpResponse(str(cursor.fetchone()[0]))


urlpatterns = [
    path("ok", ok),
    path("raise", fail),
    path("hang", hang),
    path("block", block),
    path("block-the-loop", block_the_loop),
    path("refuse", refuse),
    path("count", count),
]

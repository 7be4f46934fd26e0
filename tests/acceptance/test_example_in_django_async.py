"""The example in Django, with asynchronous tests: awaited, over WSGI and ASGI."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.example_suites import Example

pytestmark = pytest.mark.prove

#: Django's own TestCase runs such tests, in a transaction as ever.
CASES = """
from django.core.PROTOCOL import get_PROTOCOL_application
from django.test import TestCase
from leanbe_emitter.testing import LeanbeMixin, Receiver

from desk.models import Customer

BEN = "64a28f0c9c3a1954e6a2e510"


class Wishes(LeanbeMixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        Customer.objects.create(leanbe_id=BEN, email="ben@example.com", name="Ben", wishes=5)

    def leanbe_receiver(self):
        app = get_PROTOCOL_application()
        return Receiver(app, path="/hooks/leanbe", secret="whsec_test")

    async def test_both_see_what_the_other_wrote(self):
        ben = {"customer._id": BEN, "customer.firstName": "Ben"}
        wish = await self.leanbe.trigger("ideaRequest.created", set=ben)
        await wish.redeliver(times=2)
        self.leanbe.assert_delivered("ideaRequest.created", times=3)
        assert (await Customer.objects.aget()).wishes == 6

    async def test_without_await(self):
        self.leanbe.deliver()


class Starting(LeanbeMixin, TestCase):
    steps = []

    def leanbe_receiver(self):
        return Receiver(self.app)

    async def app(self, scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        for step in ("startup", "shutdown"):
            self.steps.append((await receive())["type"])
            await send({"type": f"lifespan.{step}.complete"})

    def tearDown(self):
        assert self.steps == ["lifespan.startup", "lifespan.shutdown"]

    async def test_an_app_stops_in_the_loop_of_its_test(self):
        assert (await self.leanbe.trigger("idea.created")).delivered
"""
#: Under pytest-asyncio a transaction of the test's own is none of Django's asynchronous ORM.
TESTS = """
import pytest

from desk.models import Customer


@pytest.mark.parametrize("_", "ab")
@pytest.mark.django_db(transaction=True)
async def test_both_see_what_the_other_wrote(leanbe, _):
    assert not await Customer.objects.aexists()
    wish = await leanbe.trigger("ideaRequest.created")
    await wish.redeliver()
    assert (await Customer.objects.aget()).wishes == 1
"""
ASYNCIO = (
    *("-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"),
    *("-o", "asyncio_default_fixture_loop_scope=function"),
)
IN_A_FILE = """
from desk.settings import *

LEANBE_WEBHOOK_SECRET = "whsec_test"
DATABASES["default"]["TEST"] = {"NAME": "kept.db"}
"""


@pytest.fixture(params=["wsgi", "asgi"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Example:
    """A copy of the example, called by either protocol, its test database in a file."""
    example = Example("django", tmp_path)
    example.write("conftest.py", example.read("conftest.py").replace("wsgi", request.param))
    example.write("test_desk_cases.py", CASES.replace("PROTOCOL", request.param))
    example.write("test_desk.py", TESTS)
    example.write("in_a_file.py", IN_A_FILE)
    return example


def test_djangos_own_runner_awaits_the_cases(desk: Example, tmp_path: Path) -> None:
    ran = desk.python("manage.py", "test", "--settings", "in_a_file", "--keepdb")
    assert "Ran 3 tests" in ran.stdout
    assert "FAILED (errors=1)" in ran.stdout, ran.stdout
    assert "NotAwaited: leanbe.deliver() at test_desk_cases.py:28 was not awaited" in ran.stdout
    assert customers(tmp_path) == 0


def test_pytest_asyncio_awaits_the_tests(desk: Example, tmp_path: Path) -> None:
    ran = desk.run("test_desk.py", "--ds", "in_a_file", "--reuse-db", *ASYNCIO)
    assert ran.status == 0, ran.printed
    assert customers(tmp_path) == 0


def customers(folder: Path) -> int:
    """Return how many customers the kept database has."""
    with closing(sqlite3.connect(folder / "django" / "kept.db")) as kept:
        (count,) = kept.execute("SELECT count(*) FROM desk_customer").fetchone()
    return int(count)

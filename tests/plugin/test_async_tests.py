"""Asynchronous tests: the plugin's fixture under what runs them, and what it says without await."""

import pytest

from tests.support.loopback_receiver import LoopbackReceiver as Server
from tests.support.user_suites import Suite

#: An app that notes in which event loop it starts, is called and stops; and a fixture of its own
#: that ends after the test.
CONFTEST = """
import asyncio
import pytest
from leanbe_emitter.testing import Receiver

steps, loops = [], []

@pytest.fixture
def noted():
    return steps, loops

@pytest.fixture
def db():
    yield
    steps.append("db is closed")

async def app(scope, receive, send):
    loops.append(asyncio.get_running_loop())
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    for step in ("startup", "shutdown"):
        steps.append((await receive())["type"])
        loops.append(asyncio.get_running_loop())
        await send({"type": f"lifespan.{step}.complete"})

@pytest.fixture
def leanbe_receiver(db):
    return Receiver(app, path="/hooks/leanbe", secret="whsec_test")
"""

#: A suite of both kinds of tests; MARK is what its runner wants to see.
BOTH_KINDS = """
import asyncio
import pytest

LIFE = ["lifespan.startup", "lifespan.shutdown", "db is closed"]

def test_a_synchronous(leanbe, leanbe_product):
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()
    leanbe.assert_delivered("idea.created", times=1)

@MARK
async def test_b_asynchronous(leanbe, leanbe_product, noted):
    steps, loops = noted
    before = len(loops)
    idea = leanbe_product.ideas.create(title="Dark mode")
    leanbe_product.ideas.upvote(idea)
    assert len(await leanbe.deliver()) == 2
    delivery = await leanbe.trigger("idea.created")
    await delivery.redeliver(times=2)
    await leanbe.clock.advance(hours=1)
    await leanbe.settle()
    await asyncio.to_thread(leanbe.trigger, "idea.updated")
    leanbe.assert_delivered("idea.created", times=4)
    assert set(loops[before:]) == {asyncio.get_running_loop()}

@MARK
async def test_c_in_a_thread_first(leanbe, noted):
    steps, loops = noted
    before = len(loops)
    assert (await asyncio.to_thread(leanbe.trigger, "idea.created")).delivered
    assert set(loops[before:]) == {asyncio.get_running_loop()}

def test_d_synchronous_again(leanbe, noted):
    assert leanbe.trigger("idea.created").delivered

def test_e_life(noted):
    steps, loops = noted
    count = sum(step == "db is closed" for step in steps)
    assert steps == LIFE * count
"""


def mode(name: str, *, tests: str = "function") -> tuple[str, ...]:
    """Return the settings of pytest-asyncio: a mode, and the scope of its tests' loops."""
    settings = (
        f"asyncio_mode={name}",
        "asyncio_default_fixture_loop_scope=function",
        f"asyncio_default_test_loop_scope={tests}",
    )
    return tuple(option for each in settings for option in ("-o", each))


STRICT, AUTO, SESSION = mode("strict"), mode("auto"), mode("auto", tests="session")
ASYNCIO, ANYIO = "pytest.mark.asyncio", "pytest.mark.anyio"
#: A mark that says nothing about what runs the test.
BARE = "pytest.mark.filterwarnings('error')"
ANYIO_CONFTEST = f"""{CONFTEST}
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.parametrize(
    ("options", "mark", "conftest"),
    [
        pytest.param(STRICT, ASYNCIO, CONFTEST, id="pytest-asyncio-strict"),
        pytest.param(AUTO, BARE, CONFTEST, id="pytest-asyncio-auto"),
        pytest.param(SESSION, BARE, CONFTEST, id="one-loop-for-the-session"),
        pytest.param((), ANYIO, ANYIO_CONFTEST, id="anyio"),
    ],
)
def test_both_kinds_of_tests_share_an_app_whatever_runs_them(
    suite: Suite, options: tuple[str, ...], mark: str, conftest: str
) -> None:
    tests, using = BOTH_KINDS.replace("MARK", mark), ["asyncio"] if options else []
    finished = suite.run(tests, *options, conftest=conftest, using=using)
    finished.assert_outcomes(passed=5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_tests_does_not_matter(suite: Suite, seed: int) -> None:
    tests = BOTH_KINDS.replace("MARK", BARE)
    order, using = f"--randomly-seed={seed}", ["asyncio", "randomly"]
    finished = suite.run(tests, *AUTO, order, conftest=CONFTEST, using=using)
    finished.assert_outcomes(passed=5)


UNDER_TRIO = """
import asyncio
import pytest
import trio

@pytest.mark.anyio
async def test_trio(leanbe, leanbe_product, noted):
    trio.lowlevel.current_task()
    leanbe_product.ideas.create(title="Dark mode")
    assert len(await leanbe.deliver()) == 1
    delivery = await leanbe.trigger("idea.created")
    assert delivery.delivered
    await leanbe.settle()
    await leanbe.stop_receivers()
    steps, loops = noted
    assert steps == ["lifespan.startup", "lifespan.shutdown"]
"""


def test_a_test_under_trio_has_its_app_beside_it(suite: Suite) -> None:
    conftest = CONFTEST + '@pytest.fixture\ndef anyio_backend():\n    return "trio"\n'
    suite.run(UNDER_TRIO, conftest=conftest).assert_outcomes(passed=1)


ASYNC_FIXTURES = """
import asyncio
import pytest
import pytest_asyncio

@pytest_asyncio.fixture
async def pool():
    yield asyncio.get_running_loop()

def test_synchronous(leanbe, pool, noted):
    leanbe.trigger("idea.created")
    steps, loops = noted
    assert set(loops) == {pool}

@pytest_asyncio.fixture
async def voted(leanbe, leanbe_product):
    leanbe_product.ideas.create(title="Dark mode")
    yield await leanbe.deliver()
    leanbe.assert_delivered("idea.created")

@pytest.mark.asyncio
async def test_asynchronous(leanbe, voted, noted):
    steps, loops = noted
    assert len(voted) == 1
    assert (await leanbe.trigger("idea.created")).delivered
    assert steps[-1] == "lifespan.startup"
    assert loops[-1] is asyncio.get_running_loop()
"""


def test_asynchronous_fixtures_share_their_loop_with_the_app(suite: Suite) -> None:
    suite.run(ASYNC_FIXTURES, *STRICT, conftest=CONFTEST, using=["asyncio"]).assert_outcomes(
        passed=2
    )


IN_UNITTEST = """
import asyncio
import unittest
import pytest
from leanbe_emitter.testing import LeanbeMixin, Receiver
from conftest import app, loops, steps

class Votes(LeanbeMixin, unittest.IsolatedAsyncioTestCase):
    def leanbe_receiver(self):
        return Receiver(app, path="/hooks/leanbe", secret="whsec_test")

    async def asyncTearDown(self):
        assert steps.pop() == "lifespan.shutdown"

    async def test_a(self):
        before = len(loops)
        self.leanbe_product.ideas.create(title="Dark mode")
        assert len(await self.leanbe.deliver()) == 1
        assert (await self.leanbe.trigger("idea.created")).delivered
        assert set(loops[before:]) == {asyncio.get_running_loop()}

    async def test_b(self):
        await self.leanbe.trigger("idea.created")
        self.leanbe.deliver()

    async def test_c(self):
        await self.leanbe.trigger("idea.created")
        self.leanbe.assert_delivered("idea.updated")
"""


def test_an_asynchronous_unittest_has_the_same_by_the_mixin(suite: Suite) -> None:
    finished = suite.run(IN_UNITTEST, "--import-mode=prepend", conftest=CONFTEST)
    finished.assert_outcomes(passed=1, failed=2)
    finished.stdout.fnmatch_lines(
        [
            "*NotAwaited: leanbe.deliver() at test_suite.py:23 was not awaited.*",
            "*idea.updated was not delivered*",
            "*leanbe deliveries:",
            "*attempt 1: delivered 204*",
        ]
    )


def test_an_asynchronous_unittest_can_have_the_fixture(suite: Suite) -> None:
    finished = suite.run(
        """
        import asyncio
        import unittest
        import pytest

        class Votes(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def given(self, leanbe, noted):
                self.leanbe = leanbe
                self.steps, self.loops = noted

            async def asyncTearDown(self):
                assert self.steps == ["lifespan.startup", "lifespan.shutdown"]

            async def test_it(self):
                await self.leanbe.trigger("idea.created")
                assert set(self.loops) == {asyncio.get_running_loop()}
        """,
        conftest=CONFTEST,
    )
    finished.assert_outcomes(passed=1)


FORGOTTEN = """
import pytest

async def test_never(leanbe, leanbe_product):
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()

async def test_asserted(leanbe, leanbe_product):
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()
    leanbe.assert_delivered("idea.created")

async def test_used(leanbe, leanbe_product):
    assert leanbe.trigger("idea.created").delivered

async def test_that_fails_otherwise(leanbe):
    leanbe.trigger("idea.created")
    assert 1 == 2

@pytest.fixture
async def prepared(leanbe):
    leanbe.trigger("idea.created")

async def test_prepared(prepared):
    pass
"""


def test_a_call_without_await_fails_the_test_and_names_its_line(suite: Suite) -> None:
    finished = suite.run(FORGOTTEN, *AUTO, conftest=CONFTEST, using=["asyncio"])
    finished.assert_outcomes(failed=5)
    finished.stdout.fnmatch_lines(
        [
            "NotAwaited: leanbe.deliver() at test_suite.py:5 was *'await leanbe.deliver()'.",
            "*NotAwaited: leanbe.deliver() at test_suite.py:9 was not awaited.*",
            "*leanbe deliveries*",
            "*idea.created  goes to http://testserver/hooks/leanbe*",
            "*NotAwaited: leanbe.trigger() at test_suite.py:13 was not awaited.*",
            "*assert 1 == 2",
            "E  *leanbe.trigger() at test_suite.py:16 was not awaited.*",
            "*NotAwaited: leanbe.trigger() at test_suite.py:21 was not awaited.*",
        ]
    )
    finished.stdout.no_fnmatch_line("*RuntimeWarning*")
    finished.stdout.no_fnmatch_line("*in_test*")


HANGING = """
import asyncio
import time
import pytest

async def hang(request):
    await asyncio.Event().wait()

async def block(request):
    time.sleep(20)

def block_synchronously(request):
    time.sleep(20)

@pytest.mark.parametrize("app", [hang, block, block_synchronously])
async def test_it(leanbe, app):
    leanbe.products.create("Acme", webhook=app)
    began = time.monotonic()
    await leanbe.trigger("idea.created")
    assert 0.9 < time.monotonic() - began < 9  # after ten the webhook's own limit would end it
    leanbe.assert_delivered("idea.created")
"""


def test_an_app_that_hangs_or_blocks_is_named_after_a_second(suite: Suite) -> None:
    finished = suite.run(HANGING, *AUTO, conftest="", using=["asyncio"])
    finished.assert_outcomes(failed=3)
    finished.stdout.fnmatch_lines(
        [
            "*no complete answer within 1 s: the app hangs at test_suite.py:6 in hang*",
            "*the app blocks at test_suite.py:9 in block: time.sleep(20)*",
            "*the app blocks at test_suite.py:12 in block_synchronously: time.sleep(20)*",
        ]
    )


def test_an_asynchronous_test_raises_the_apps_error(suite: Suite) -> None:
    finished = suite.run(
        """
        async def fail(request):
            raise ValueError("no such idea")

        async def test_it(leanbe):
            leanbe.products.create("Acme", webhook=fail)
            await leanbe.trigger("idea.created")
        """,
        *AUTO,
        conftest="",
        using=["asyncio"],
    )
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(["*ValueError: no such idea", "*attempt 1: refused 500*"])


def test_connections_are_closed_in_the_loop_of_a_test(suite: Suite) -> None:
    """A resource that is left open is a warning when its loop is gone, and the warning an error."""
    with Server.listening() as server:
        finished = suite.run(
            f"""
            import gc

            async def test_a(leanbe):
                assert (await leanbe.trigger("idea.created", to={server.url!r})).delivered

            def test_b():
                gc.collect()
            """,
            *AUTO,
            conftest="",
            using=["asyncio"],
        )
    finished.assert_outcomes(passed=2)
    assert len(server.requests) == 1

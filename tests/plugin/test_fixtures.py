"""The pytest plugin's fixtures: what a test is given, and what can be set."""

import json
import os

import pytest

from leanbe_emitter import Leanbe
from tests.support.user_suites import CONFTEST, Suite


def test_an_action_reaches_the_receiver_with_its_secret(suite: Suite) -> None:
    finished = suite.run("""
        def test_votes(leanbe, leanbe_product, requests):
            idea = leanbe_product.ideas.create(title="Dark mode")
            leanbe_product.ideas.upvote(idea)
            leanbe.deliver()
            leanbe.assert_delivered("idea.upVoted", times=1)
            leanbe.refute_delivered("customer.*")
            assert [each.envelope("whsec_test").event for each in requests] == [
                "idea.created", "idea.upVoted",
            ]
            assert requests[0].url == "http://testserver/hooks/leanbe"
    """)
    finished.assert_outcomes(passed=1)


def test_a_triggered_event_goes_to_the_receiver_though_no_product_is_asked_for(
    suite: Suite,
) -> None:
    finished = suite.run("""
        def test_handler(leanbe, requests):
            delivery = leanbe.trigger("idea.created")
            delivery.redeliver(times=3)
            assert len(requests) == 4
            leanbe.trigger("idea.updated")
            assert len(leanbe.products.list()) == 1

        def test_a_product_of_its_own(leanbe, requests):
            got = []
            leanbe.products.create("Own", webhook=got.append)
            leanbe.trigger("idea.created")
            assert (len(got), len(requests)) == (1, 0)
    """)
    finished.assert_outcomes(passed=2)


def test_the_receivers_fixture_is_set_up_before_the_test_with_all_that_it_asks_for(
    suite: Suite,
) -> None:
    finished = suite.run("""
        def test_it(leanbe, request):
            assert {"leanbe_receiver", "requests"} <= set(request.node.fixturenames)
    """)
    finished.assert_outcomes(passed=1)


def test_an_event_that_is_triggered_to_a_receiver_is_signed_with_its_secret(suite: Suite) -> None:
    finished = suite.run("""
        import pytest
        from leanbe_emitter import Conflict
        from leanbe_emitter.testing import Receiver

        def test_another_receiver(leanbe, leanbe_product, requests):
            got = []
            receive = got.append
            other = Receiver(receive, path="/other", secret="whsec_other")
            for _ in range(2):
                leanbe.trigger("idea.created", to=other)
            assert [each.envelope("whsec_other").event for each in got] == ["idea.created"] * 2
            assert got[0].url.endswith("/other")
            assert len(leanbe.products.list()) == 2
            with pytest.raises(Conflict, match="has another secret"):
                leanbe.trigger("idea.created", to=Receiver(receive, path="/other", secret="no"))

        def test_the_usual_one(leanbe, leanbe_receiver, leanbe_product, requests):
            leanbe.trigger("idea.created", to=leanbe_receiver)
            assert leanbe.products.only() == leanbe_product

        def test_a_url(leanbe):
            there = Receiver("http://127.0.0.1:1", path="/hooks", secret="whsec_url")
            assert leanbe.trigger("idea.created", to=there).outcome == "unreachable"
            assert leanbe.products.only().webhook.secret == "whsec_url"
            assert leanbe.products.only().webhook.url == "http://127.0.0.1:1/hooks"
    """)
    finished.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "test",
    ["def test_it(leanbe_product): pass", "def test_it(leanbe): leanbe.trigger('idea.created')"],
)
def test_without_a_receiver_the_fixture_to_write_is_shown(suite: Suite, test: str) -> None:
    finished = suite.run(test, conftest="")
    assert finished.ret == 1
    finished.stdout.fnmatch_lines(
        ["*the fixture leanbe_receiver is not defined.", "*def leanbe_receiver(app):"]
    )
    finished.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_every_test_begins_with_nothing(suite: Suite) -> None:
    finished = suite.run("""
        import pytest

        @pytest.mark.parametrize("_", "ab")
        def test_it(leanbe, leanbe_product, _):
            leanbe_product.ideas.create(title="Dark mode")
            leanbe.deliver()
            leanbe.assert_delivered("*", times=1)
    """)
    finished.assert_outcomes(passed=2)


def test_a_database_of_the_users_is_emptied_before_the_test_and_not_after(suite: Suite) -> None:
    conftest = f"""{CONFTEST}
@pytest.fixture
def leanbe_db(request):
    return f"sqlite:///{{request.config.rootpath / 'kept.db'}}"
"""
    test = """
        import pytest

        @pytest.mark.parametrize("_", "ab")
        def test_it(leanbe, leanbe_product, _):
            leanbe.trigger("idea.created")
            leanbe.assert_delivered("*", times=1)
    """
    suite.run(test, conftest=conftest).assert_outcomes(passed=2)
    with leanbe_of(suite) as leanbe:
        leanbe.assert_delivered("idea.created", times=1)


def leanbe_of(suite: Suite) -> Leanbe:
    return Leanbe(f"sqlite:///{suite.pytester.path / 'kept.db'}")


def test_the_time_stands_still_unless_the_marker_says_otherwise(suite: Suite) -> None:
    finished = suite.run("""
        import pytest
        from datetime import UTC, datetime

        def test_manual(leanbe):
            assert leanbe.clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
            leanbe.clock.advance(hours=1)

        @pytest.mark.leanbe(clock="system")
        def test_system(leanbe):
            assert repr(leanbe.clock) == "SystemClock()"

        @pytest.mark.leanbe(clock="system", assume={"max_attempts": "1"})
        class TestNearest:
            @pytest.mark.leanbe(clock="manual", assume={"timeout": "2s"})
            def test_it(self, leanbe, leanbe_product):
                assert "ManualClock" in repr(leanbe.clock)
                assert set(leanbe_product.assumptions) == {"timeout", "max_attempts"}
    """)
    finished.assert_outcomes(passed=3)


def test_every_option_is_a_fixture_that_a_suite_can_define(suite: Suite) -> None:
    conftest = f"""{CONFTEST}
from datetime import UTC, datetime
from leanbe_emitter import ManualClock

@pytest.fixture
def leanbe_seed():
    return 7

@pytest.fixture
def leanbe_clock():
    return ManualClock(datetime(2030, 1, 1, tzinfo=UTC))

@pytest.fixture
def leanbe_assume():
    return {{"signature_location": "both"}}

@pytest.fixture
def leanbe_app_errors():
    return "record"

@pytest.fixture
def leanbe_receiver():
    def receive(request):
        raise ValueError("no such idea")
    return Receiver(receive)
"""
    finished = suite.run(
        """
        def test_it(leanbe):
            delivery = leanbe.trigger("idea.created")
            assert delivery.attempts[0].answer_status == 500
            assert leanbe.clock.now().year == 2030
            assert "X-Leanbe-Signature" in dict(delivery.attempts[0].request_headers)
            assert leanbe.products.only().webhook.secret == SECRET
        """.replace("SECRET", repr(secret_of_seed_7())),
        conftest=conftest,
    )
    finished.assert_outcomes(passed=1)


def secret_of_seed_7() -> str | None:
    with Leanbe(seed=7) as leanbe:
        return leanbe.products.create("Acme", webhook=lambda _: None).webhook.secret


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("colour='red'", "There is no option 'colour'. Use seed, clock, assume, app_errors or db."),
        ("clock='broken'", "'broken' is not a clock. Use manual or system, or pass a clock."),
        ("app_errors='hide'", "'hide' is not a value of app_errors. Use raise or record."),
        ("'system'", "The marker leanbe got 'system' without a name."),
    ],
)
def test_an_option_that_is_refused_is_told_in_a_line(suite: Suite, marker: str, said: str) -> None:
    finished = suite.run(f"""
        import pytest

        @pytest.mark.leanbe({marker})
        def test_it(leanbe):
            pass
    """)
    finished.assert_outcomes(errors=1)
    finished.stdout.fnmatch_lines([f"leanbe cannot be set up: {said}*"])


def test_the_apps_error_is_raised_unless_the_ini_file_says_otherwise(suite: Suite) -> None:
    conftest = f"""{CONFTEST}
@pytest.fixture
def leanbe_receiver():
    def receive(request):
        raise ValueError("no such idea")
    return Receiver(receive)
"""
    test = "def test_it(leanbe): assert leanbe.trigger('idea.created').outcome == 'refused'"
    finished = suite.run(test, conftest=conftest)
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(["*ValueError: no such idea"])
    suite.run(test, "-o", "leanbe_app_errors=record", conftest=conftest).assert_outcomes(passed=1)


LIFESPAN = """
import asyncio

import pytest
from leanbe_emitter.testing import Receiver

steps = []

@pytest.fixture
def db():
    steps.append("db is opened")
    yield
    steps.append("db is closed")

@pytest.fixture
def leanbe_receiver(db):
    return Receiver(app)

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    for step in ("startup", "shutdown"):
        steps.append((await receive())["type"])
        await send({"type": f"lifespan.{step}.complete"})

def test_it(leanbe):
    leanbe.trigger("idea.created")

def test_order():
    assert steps == [
        "db is opened", "lifespan.startup", "lifespan.shutdown", "db is closed",
    ]
"""


def test_an_app_is_stopped_while_the_fixtures_that_it_uses_are_there(suite: Suite) -> None:
    suite.run(LIFESPAN, conftest="").assert_outcomes(passed=2)


def test_an_apps_error_at_its_very_end_fails_the_test(suite: Suite) -> None:
    failing = LIFESPAN.replace(
        "        return\n", "        await asyncio.sleep(0.001)\n        raise ValueError('late')\n"
    )
    finished = suite.run(failing, "-k", "test_it", conftest="")
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(["*ValueError: late"])


RECORDING = """
    import json
    import pytest

    @pytest.mark.xdist_group("together")
    @pytest.mark.parametrize("name", ["a@x", "b", "c", "d"])
    def test_it(leanbe, leanbe_product, name, request):
        leanbe_product.ideas.create(title="Dark mode")
        leanbe.deliver()
        kept = request.config.rootpath / f"{name}.json"
        secret = leanbe_product.webhook.secret
        ids = [leanbe_product.id, leanbe.deliveries.last().id, leanbe.deliveries.last().event.id]
        other = leanbe.products.create("Other", webhook_url="http://127.0.0.1:1/").webhook.secret
        kept.write_text(json.dumps([leanbe.deliveries.snapshot(), ids, secret, other]))
"""
BACKWARDS = f"""{CONFTEST}
def pytest_addoption(parser):
    parser.addoption("--backwards", action="store_true")

def pytest_collection_modifyitems(config, items):
    if config.getoption("backwards"):
        items.reverse()
"""


def test_two_runs_and_another_order_give_the_same_bytes(suite: Suite) -> None:
    runs = []
    for options in ([], [], ["--backwards"]):
        suite.run(RECORDING, *options, conftest=BACKWARDS).assert_outcomes(passed=4)
        runs.append(taken(suite))
    assert runs[0] == runs[1] == runs[2]
    bodies = {json.loads(each)[0][0]["body"] for each in runs[0]}
    assert len(bodies) == 4


@pytest.mark.parametrize(
    ("workers", "distribution"),
    [("2", "load"), pytest.param("4", "loadgroup", marks=pytest.mark.prove)],
)
def test_several_workers_give_the_same_bytes_as_one(
    suite: Suite, workers: str, distribution: str
) -> None:
    suite.run(RECORDING).assert_outcomes(passed=4)
    alone = taken(suite)
    several = suite.run_as_process(RECORDING, "-n", workers, "--dist", distribution)
    several.assert_outcomes(passed=4)
    assert taken(suite) == alone


def test_the_group_that_xdist_adds_to_a_tests_id_changes_no_byte(suite: Suite) -> None:
    grouped = f"""{CONFTEST}
class Grouped(pytest.Function):
    nodeid = property(lambda self: super().nodeid + "@together")  # before pytest 9.2

def pytest_collection_modifyitems(items):
    for item in items:
        item.__class__ = Grouped
        assert item.nodeid.endswith("]@together")
"""
    suite.run(RECORDING).assert_outcomes(passed=4)
    alone = taken(suite)
    suite.run(RECORDING, conftest=grouped).assert_outcomes(passed=4)
    assert taken(suite) == alone


@pytest.mark.parametrize("tests", [60, pytest.param(500, marks=pytest.mark.prove)])
def test_a_suite_of_many_tests_passes_and_leaves_nothing_open(suite: Suite, tests: int) -> None:
    conftest = f"""{CONFTEST}
@pytest.fixture
def leanbe_receiver(requests):
    async def receive(request):  # needs an event loop, and that has descriptors
        requests.append(request)
    return Receiver(receive, secret="whsec_test")
"""
    before = descriptors()
    test = f"""
        import pytest

        @pytest.mark.parametrize("number", range({tests}))
        def test_it(leanbe, requests, number):
            assert leanbe.products.list() == []
            if number % 10 == 0:
                assert leanbe.trigger("idea.created").delivered
            assert len(requests) == (number % 10 == 0)
    """
    suite.run(test, conftest=conftest).assert_outcomes(passed=tests)
    # What earlier tests had open may have been closed meanwhile: by a thread of theirs, for one.
    assert descriptors() <= before


def descriptors() -> set[str]:
    """Return what this process has open, and that by which it is asked."""
    return set(os.listdir("/dev/fd"))  # noqa: PTH208 - descriptors are no paths


def test_another_seed_gives_other_bytes(suite: Suite) -> None:
    suite.run(RECORDING).assert_outcomes(passed=4)
    first = taken(suite)
    suite.run(RECORDING, "--leanbe-seed=1").assert_outcomes(passed=4)
    assert all(one != other for one, other in zip(first, taken(suite), strict=True))


def taken(suite: Suite) -> list[str]:
    """Return what the tests wrote, and take it away."""
    paths = sorted(suite.pytester.path.glob("*.json"))
    texts = [path.read_text() for path in paths]
    for path in paths:
        path.unlink()
    assert len(texts) == 4
    return texts


@pytest.mark.parametrize("asked", ["leanbe", "leanbe_product"])
def test_a_receiver_that_asks_for_what_begins_with_it_is_told_what_to_do(
    suite: Suite, asked: str
) -> None:
    conftest = f"""
import pytest

@pytest.fixture
def app({asked}):
    return lambda request: None

@pytest.fixture
def leanbe_receiver(app):
    return app
"""
    finished = suite.run("def test_it(leanbe): pass", conftest=conftest)
    finished.assert_outcomes(errors=1)
    finished.stdout.fnmatch_lines(
        ["*recursive dependency*", "*can ask for one of them*", "*secret=*whsec_test*"]
    )


def test_other_circles_are_left_to_pytest(suite: Suite) -> None:
    finished = suite.run("""
        import pytest

        @pytest.fixture
        def one(other): pass

        @pytest.fixture
        def other(one): pass

        def test_it(one): pass
    """)
    finished.assert_outcomes(errors=1)
    finished.stdout.no_fnmatch_line("*can ask for one of them*")

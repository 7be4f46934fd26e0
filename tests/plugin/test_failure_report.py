"""The deliveries in the report of a failed test."""

import hashlib
import hmac
import re

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.testing.failure_report import MOST_SHOWN, failure_report
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.user_suites import CONFTEST, Suite

#: A receiver that hashes the raw body, as receivers wrongly do.
HASHES_THE_BODY = """
import hashlib, hmac, json
import pytest
from leanbe_emitter.testing import Receiver

def app(environ, start_response):
    body = environ["wsgi.input"].read()
    computed = hmac.new(b"whsec_test", body, hashlib.sha256).hexdigest()
    is_right = computed == json.loads(body)["signature"]
    start_response("204 No Content" if is_right else "401 Unauthorized", [])
    return [] if is_right else [b"bad signature"]

@pytest.fixture
def leanbe_receiver():
    return Receiver(app, secret="whsec_test")
"""
REFUSED = """
def test_it(leanbe, leanbe_product, request):
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()
    body = leanbe.deliveries.last().event.body
    (request.config.rootpath / "body").write_bytes(body)
    leanbe.assert_delivered("idea.created")
"""
TITLE = "*- leanbe deliveries -*"


def test_a_refusal_is_shown_with_the_mistakes_that_lead_to_it(suite: Suite) -> None:
    finished = suite.run(REFUSED, conftest=HASHES_THE_BODY)
    finished.assert_outcomes(failed=1)
    body = (suite.pytester.path / "body").read_text()
    finished.stdout.fnmatch_lines(
        [
            TITLE,
            "00:00:00.001  idea.created  goes to http://testserver/  …??????",
            "00:00:00.000  idea.created  …??????  attempt 1: refused 401  * ms",
            "              bad signature",
            "The receiver was asked which mistake it makes*",
            "The receiver refuses the right signature with 401*the receiver accepted none.",
            "Does the receiver verify with the secret of Receiver(secret=...)?",
            "Nobody can sign a body with its own digest*",
            "- *raw body*",
            f"    {raw_body_hashed(body)}",
            "    instead: *",
        ]
    )
    section = str(finished.stdout).partition("leanbe deliveries")[2]
    assert "whsec_test" not in section


def raw_body_hashed(body: str) -> str:
    return hmac.new(b"whsec_test", body.encode(), hashlib.sha256).hexdigest()


def test_the_section_comes_from_workers_too(suite: Suite) -> None:
    test = "def test_it(leanbe): leanbe.trigger('idea.created'); assert 0"
    finished = suite.run_as_process(test, "-n", "1")
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines([TITLE, "*attempt 1: delivered 204*"])


def test_a_unittest_that_fails_has_the_section_too(suite: Suite) -> None:
    finished = suite.run("""
        import unittest
        import pytest

        class Votes(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def given(self, leanbe):
                self.leanbe = leanbe

            def test_it(self):
                self.leanbe.trigger("idea.created")
                self.fail("no vote")
    """)
    finished.stdout.fnmatch_lines([TITLE, "*attempt 1: delivered 204*"])


def test_a_fixture_that_fails_has_the_section_too(suite: Suite) -> None:
    finished = suite.run("""
        import pytest

        @pytest.fixture
        def votes(leanbe):
            leanbe.trigger("idea.created")
            raise ValueError("no vote")

        def test_it(votes):
            pass
    """)
    finished.assert_outcomes(errors=1)
    finished.stdout.fnmatch_lines([TITLE, "*attempt 1: delivered 204*"])


def test_a_test_that_passes_has_no_section(suite: Suite) -> None:
    finished = suite.run("def test_it(leanbe): leanbe.trigger('idea.created')", "-rA")
    finished.assert_outcomes(passed=1)
    finished.stdout.no_fnmatch_line(TITLE)


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(suite: Suite) -> None:
    finished = suite.run("""
        def test_it(leanbe):
            leanbe.journal = None
            assert 1 == 2
    """)
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(
        ["*assert 1 == 2", TITLE, "The report cannot be read: AttributeError*"]
    )


def test_the_line_where_an_app_hangs_is_shown(suite: Suite) -> None:
    conftest = f"""{CONFTEST}
import time

@pytest.fixture
def leanbe_assume():
    return {{"timeout": "750ms"}}

@pytest.fixture
def leanbe_receiver():
    def hang(request):
        time.sleep(20)
    return Receiver(hang)
"""
    test = "def test_it(leanbe): assert leanbe.trigger('idea.created').delivered"
    finished = suite.run(test, conftest=conftest)
    finished.stdout.fnmatch_lines([TITLE, "*attempt 1: unknown*", "*in hang: time.sleep(20)*"])


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed"])
def test_the_report_of_a_404_or_405_asks_for_the_path(suite: Suite, status: str) -> None:
    conftest = f"""{CONFTEST}
def app(environ, start_response):
    start_response({status!r}, [])
    return []

@pytest.fixture
def leanbe_receiver():
    return Receiver(app)
"""
    finished = suite.run(
        "def test_it(leanbe): leanbe.trigger('idea.created'); 1 / 0", conftest=conftest
    )
    finished.stdout.fnmatch_lines(
        [f"*attempt 1: refused {status[:3]} *", "*Set it by Receiver(path=...)"]
    )


#: A receiver whose last own line calls a library that raises.
RAISES = f"""{CONFTEST}
import json

import starlette.applications
import starlette.routing

async def receive(request):
    json.loads("no JSON")

@pytest.fixture
def leanbe_receiver():
    route = starlette.routing.Route("/", receive, methods=["POST"])
    return Receiver(starlette.applications.Starlette(routes=[route]))
"""
RAISED = "def test_it(leanbe): leanbe.trigger('idea.created')"


def test_a_traceback_goes_from_the_tests_line_to_the_receivers_and_on(suite: Suite) -> None:
    finished = suite.run(RAISED, conftest=RAISES)
    finished.stdout.fnmatch_lines(
        ["test_suite.py:1: ", "conftest.py:*: in receive", "*/decoder.py*", "E*JSONDecodeError*"]
    )
    for between in ("*leanbe_emitter/*.py:*", "*starlette/*.py:*", "*contextlib.py:*"):
        finished.stdout.no_fnmatch_line(between)


def test_a_full_traceback_is_shown_to_who_asks_for_it(suite: Suite) -> None:
    finished = suite.run(RAISED, "--full-trace", conftest=RAISES)
    finished.stdout.fnmatch_lines(["*leanbe_emitter/*.py:*", "*starlette/*.py:*"])


def test_the_traceback_of_a_misuse_ends_at_the_tests_line(suite: Suite) -> None:
    finished = suite.run("def test_it(leanbe): leanbe.trigger('idea.made')")
    finished.stdout.fnmatch_lines([">*leanbe.trigger('idea.made')", "E*InvalidValue*Did you mean*"])
    finished.stdout.no_fnmatch_line("*leanbe_emitter/*.py:*")


def test_an_error_of_our_own_keeps_its_traceback(suite: Suite) -> None:
    finished = suite.run("def test_it(leanbe): leanbe.journal.next(7)")
    finished.stdout.fnmatch_lines(["*leanbe_emitter/*.py:*"])


def test_a_page_of_html_is_shown_in_one_line(suite: Suite) -> None:
    conftest = f"""{CONFTEST}
def app(environ, start_response):
    start_response("403 Forbidden", [])
    return [b"\\n<html>\\n  <h1>Forbidden</h1>\\n</html>\\n"]

@pytest.fixture
def leanbe_receiver():
    return Receiver(app)
"""
    test = "def test_it(leanbe): leanbe.trigger('idea.created'); leanbe.assert_delivered('*')"
    finished = suite.run(test, conftest=conftest)
    page = "<html> <h1>Forbidden</h1> </html>"
    finished.stdout.fnmatch_lines([f"E*refused: 403 {page}", f"              {page}"])


def test_the_long_list_of_mistakes_is_shown_once_a_run(suite: Suite) -> None:
    two = REFUSED + REFUSED.replace("test_it", "test_again")
    unasked = HASHES_THE_BODY.replace('"whsec_test")', '"whsec_test", probe=False)')
    finished = suite.run(two, conftest=unasked)
    finished.assert_outcomes(failed=2)
    printed = str(finished.stdout)
    assert "The receiver was asked" not in printed
    assert printed.count("A receiver that computes one of these makes this mistake") == 1
    assert printed.count("The usual mistakes are listed in an earlier report of this run.") == 1


#: A receiver that writes the payload again, and a count of its requests.
WRITES_AGAIN = (
    HASHES_THE_BODY.replace(
        '", body, hashlib', '", json.dumps(json.loads(body)["payload"]).encode(), hashlib'
    ).replace("    is_right =", "    CALLS.append(body)\n    is_right =")
    + """
CALLS = []

def pytest_sessionfinish(session):
    (session.config.rootpath / "calls").write_text(str(len(CALLS)))

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
)
#: The same test in an event loop.
REFUSED_IN_LOOP = REFUSED.replace(
    "def test_it", "@__import__('pytest').mark.anyio\nasync def test_it"
)
REFUSED_IN_LOOP = REFUSED_IN_LOOP.replace("leanbe.deliver()", "await leanbe.deliver()")


def test_a_receiver_that_refused_is_asked_for_its_mistake_once_a_run(suite: Suite) -> None:
    two = REFUSED_IN_LOOP + REFUSED.replace("test_it", "test_again")
    finished = suite.run(two, conftest=WRITES_AGAIN)
    finished.assert_outcomes(failed=2)
    printed = str(finished.stdout)
    assert printed.count("The receiver was asked which mistake it makes") == 2
    assert printed.count("- You hash json.dumps(payload), which ") == 2
    assert printed.count("usual mistakes") == 0
    found = re.search(r"The probe sent (\d+) requests", printed)
    assert found is not None
    calls = int((suite.pytester.path / "calls").read_text())
    assert calls == int(found[1]) + 2  # and one delivery in each test


def test_a_receiver_elsewhere_is_asked_only_if_the_suite_wants_that(suite: Suite) -> None:
    with LoopbackReceiver.listening() as elsewhere:
        elsewhere.statuses.extend([401, 401, 401])
        conftest = f"""
            import pytest
            from leanbe_emitter.testing import Receiver

            @pytest.fixture
            def leanbe_receiver(request):
                wish = {{"probe": True}} if request.node.name == "test_asked" else {{}}
                return Receiver("{elsewhere.url}", secret="whsec_test", **wish)
        """
        test = "def test_it(leanbe): leanbe.trigger('idea.created'); leanbe.assert_delivered('*')"
        finished = suite.run(test, conftest=conftest)
        finished.assert_outcomes(failed=1)
        assert len(elsewhere.requests) == 1
        finished = suite.run(test.replace("test_it", "test_asked"), conftest=conftest)
        finished.stdout.fnmatch_lines(["The receiver was asked which mistake it makes*"])


def test_a_receiver_that_answers_with_its_signature_has_its_mistake_named_alone(
    suite: Suite,
) -> None:
    tells = HASHES_THE_BODY.replace('b"bad signature"', "computed.encode()")
    finished = suite.run(REFUSED, conftest=tells)
    finished.stdout.fnmatch_lines(
        [
            "Was idea.created refused because of its signature? The receiver answered with*",
            "- You hash the raw body.*",
            "    instead: *",
        ]
    )
    assert str(finished.stdout).count("\n- ") == 1


def test_the_report_names_events_without_a_delivery_or_an_attempt() -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Unwired").ideas.create(title="A")
        wired = leanbe.products.create("Wired", webhook=lambda _: None)
        wired.ideas.create(title="B")
        text = failure_report(leanbe)
        leanbe.deliveries.discard([leanbe.deliveries.last()])
        cancelled = failure_report(leanbe)
    first, second = text.splitlines()
    assert first.endswith(
        "idea.created  has no delivery: its product has no webhook for this event"
    )
    assert second.endswith(", not attempted")
    assert re.search(r"idea\.created  …\w{6} is cancelled$", cancelled)


def test_nothing_and_very_much_are_shown_in_few_lines() -> None:
    with Leanbe() as leanbe:
        assert failure_report(leanbe) == "Nothing was recorded."
        product = leanbe.products.create("Acme", webhook=lambda _: None)
        with leanbe.transaction():
            for number in range(MOST_SHOWN + 5):
                product.ideas.create(title=f"{number}")
        lines = failure_report(leanbe).splitlines()
    assert lines[0] == "(5 earlier lines are left out)"
    assert len(lines) == MOST_SHOWN + 1

"""The pytest plugin: its fixtures and hooks only.

Every start of pytest loads this module where the package is installed. So it imports only modules
that pytest has loaded already; the first test that uses a fixture loads the rest.
"""

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product
    from leanbe_emitter.testing import Receiver, Server
    from leanbe_emitter.testing.failure_report import MistakeList
    from leanbe_emitter.testing.handle import TestedLeanbe
    from leanbe_emitter.testing.probes import Probes
    from leanbe_emitter.testing.suite_server import SuiteServer

#: The handle of a test, from its fixture's setup to its teardown.
_HANDLE: "pytest.StashKey[TestedLeanbe]" = pytest.StashKey()
#: The list of usual mistakes, which the reports of a run show once.
_MISTAKES: "pytest.StashKey[MistakeList]" = pytest.StashKey()
#: What the receivers of a run answered when they were asked which mistake they make.
_PROBES: "pytest.StashKey[Probes]" = pytest.StashKey()

_NO_RECEIVER = """\
leanbe has no receiver: the fixture leanbe_receiver is not defined.
Define it in conftest.py:

    from leanbe_emitter.testing import Receiver

    @pytest.fixture
    def leanbe_receiver(app):
        return Receiver(app, path="/hooks/leanbe", secret="whsec_test")
"""

_NO_CHECK = """\
leanbe_check does not know its check. Give the test one for each:

    from leanbe_emitter.testing import parametrize_with_checks

    @parametrize_with_checks()
    def test_the_receiver_conforms(leanbe_check):
        leanbe_check()
"""

_TWO_HANDLES = """\
leanbe and leanbe_server are two databases, but a test can have only one.
Use leanbe_server.leanbe for the server's database; or, for all tests of a conftest.py:

    @pytest.fixture
    def leanbe(leanbe_server):
        return leanbe_server.leanbe
"""

_CIRCLE = """\
leanbe, leanbe_product and leanbe_server depend on leanbe_receiver. So neither this fixture nor its
own fixtures can ask for one of them. Give it the app, and the secret with which the app verifies:

    @pytest.fixture
    def leanbe_receiver(app):
        return Receiver(app, path="/hooks/leanbe", secret="whsec_test")

If the app needs to know more of a product, tell it in the test, when both exist.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a whole run."""
    parser.getgroup("leanbe").addoption(
        "--leanbe-seed",
        default="0",
        metavar="SEED",
        help="seed of all ids and secrets, together with each test's id (default: 0)",
    )
    parser.addini(
        "leanbe_app_errors",
        default="raise",
        help="raise a receiver's errors in its test, or only record them (raise, record)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker ``leanbe``."""
    config.addinivalue_line(
        "markers",
        "leanbe(clock=, assume=, seed=, app_errors=, db=): set options of the fixture leanbe",
    )


def pytest_report_header(config: pytest.Config) -> str:
    """Show the seed, which repeats a run."""
    return f"leanbe: --leanbe-seed={config.getoption('leanbe_seed')}"


@pytest.fixture
def leanbe_seed(request: pytest.FixtureRequest) -> int | str:
    """Seed of this test: the same in every run, order and xdist split."""
    from leanbe_emitter.testing.options import seed_of_test  # noqa: PLC0415 - loaded when it is used

    return seed_of_test(request.config.getoption("leanbe_seed"), _id_of(request.node))


@pytest.fixture
def leanbe_clock() -> object:
    """Clock of the test: ``manual``, ``system``, or a clock object."""
    return "manual"


@pytest.fixture
def leanbe_assume() -> Mapping[str, str]:
    """Assumptions of the products that the test makes."""
    return {}


@pytest.fixture
def leanbe_app_errors(request: pytest.FixtureRequest) -> str:
    """``raise`` a receiver's errors in its test, or only ``record`` them."""
    return str(request.config.getini("leanbe_app_errors"))


@pytest.fixture
def leanbe_db() -> str:
    """Database of the test: in memory, or a URL whose database is emptied before the test."""
    return ":memory:"


@pytest.fixture
def leanbe_receiver() -> "Receiver | None":
    """Receiver of the suite; a suite overrides this fixture."""
    return None


@pytest.fixture
def leanbe_observe() -> "Callable[[], Any] | None":
    """Function that returns what the receiver stored, for the checks; a suite may override it."""
    return None


@pytest.fixture
def leanbe_check(
    request: pytest.FixtureRequest,
    *,
    leanbe_receiver: "Receiver | None",
    leanbe_observe: "Callable[[], Any] | None",
    leanbe_assume: Mapping[str, str],
    leanbe_seed: int | str,
) -> "Callable[[], Any]":
    """Make the conformance check of this test, which ``parametrize_with_checks`` names.

    In an asynchronous test it is awaited.
    """
    from leanbe_emitter.testing.check_of_test import CheckOfTest  # noqa: PLC0415 - loaded when it is used

    if leanbe_receiver is None:
        pytest.fail(_NO_RECEIVER, pytrace=False)
    if not hasattr(request, "param"):
        pytest.fail(_NO_CHECK, pytrace=False)
    return CheckOfTest(
        request.param,
        leanbe_receiver,
        observe=leanbe_observe,
        assume=leanbe_assume,
        seed=leanbe_seed,
    )


@pytest.fixture
def leanbe_product(leanbe: "Leanbe", leanbe_receiver: "Receiver | None") -> "Product":
    """Product whose events go to ``leanbe_receiver``."""
    return _product_of(leanbe_receiver, leanbe)


@pytest.fixture
def leanbe(  # noqa: PLR0913 - a fixture for each option
    request: pytest.FixtureRequest,
    *,
    leanbe_seed: int | str,
    leanbe_clock: Any,
    leanbe_assume: Mapping[str, str],
    leanbe_app_errors: Any,
    leanbe_db: str,
    leanbe_receiver: "Receiver | None",
) -> Generator["Leanbe", None, None]:
    """Leanbe's sending side: an empty handle with a manual clock and repeatable ids.

    pytest makes ``leanbe_receiver`` before the test, and knows its fixtures when it collects the
    test. Otherwise pytest-django would give no database to a test whose receiver alone asks for it.
    """
    from leanbe_emitter.errors import InvalidValue  # noqa: PLC0415 - loaded when it is used
    from leanbe_emitter.testing.options import HandleOptions  # noqa: PLC0415 - loaded when it is used

    options = HandleOptions(
        seed=leanbe_seed,
        clock=leanbe_clock,
        assume=leanbe_assume,
        app_errors=leanbe_app_errors,
        db=leanbe_db,
    )
    try:
        options = options.with_changes(_marked(request.node))
        handle = options.open_handle(
            make_default_product=lambda: request.getfixturevalue("leanbe_product")
        )
    except InvalidValue as error:
        pytest.fail(f"leanbe cannot be set up: {error}", pytrace=False)
    with _handle_of(request.node, handle, leanbe_receiver):
        yield handle


@pytest.fixture(scope="session")
def leanbe_server_process() -> Generator["SuiteServer", None, None]:
    """Server in a process of its own, for the whole run; each xdist worker has one."""
    from leanbe_emitter.server_process import ServerUnavailable  # noqa: PLC0415 - loaded when it is used
    from leanbe_emitter.testing.suite_server import SuiteServer  # noqa: PLC0415 - the same

    with ExitStack() as resources:
        try:
            server = resources.enter_context(SuiteServer.started())
        except ServerUnavailable as error:
            pytest.fail(f"leanbe_server cannot be started: {error}", pytrace=False)
        yield server


@pytest.fixture
def leanbe_server(  # noqa: PLR0913 - a fixture for each option
    request: pytest.FixtureRequest,
    *,
    leanbe_server_process: "SuiteServer",
    leanbe_seed: int | str,
    leanbe_assume: Mapping[str, str],
    leanbe_app_errors: Any,
    leanbe_receiver: "Receiver | None",
) -> Generator["Server", None, None]:
    """The server of the run, emptied for this test, with a handle on its database.

    As with ``leanbe``, pytest makes ``leanbe_receiver`` before the test. If that fixture asks for
    this one, it is ready by the time of the first request.
    """
    from leanbe_emitter.errors import LeanbeError  # noqa: PLC0415 - loaded when it is used
    from leanbe_emitter.testing.options import HandleOptions  # noqa: PLC0415 - the same
    from leanbe_emitter.testing.server import Server  # noqa: PLC0415 - the same

    options = HandleOptions(seed=leanbe_seed, assume=leanbe_assume, app_errors=leanbe_app_errors)
    try:
        handle = leanbe_server_process.open_handle(
            options,
            _marked(request.node),
            make_default_product=lambda: _product_of(
                request.getfixturevalue("leanbe_receiver"), handle
            ),
        )
    except LeanbeError as error:
        pytest.fail(f"leanbe_server cannot be set up: {error}", pytrace=False)
    server = leanbe_server_process
    with _handle_of(request.node, handle, leanbe_receiver):
        yield Server(url=server.url, token=server.token, leanbe=handle)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Stop receivers while the test's fixtures, which they use, still exist.

    An asynchronous test is wrapped before pytest-asyncio, anyio or unittest run it, so that its
    receivers stop in its own event loop.
    """
    __tracebackhide__ = True
    handle = item.stash.get(_HANDLE, None)
    if handle is None:
        return (yield)
    place = _place_of(item)
    test = getattr(*place, None)
    if not inspect.iscoroutinefunction(test):
        with handle.in_test():
            return (yield)
    setattr(*place, handle.wrap(test))
    try:
        with handle.in_test():  # stops receivers also if nothing awaited the test
            return (yield)
    finally:
        setattr(*place, test)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a failed test a short traceback, and a section with its deliveries."""
    handle = item.stash.get(_HANDLE, None)
    if handle is not None and call.excinfo is not None and not item.config.option.fulltrace:
        call.excinfo = _shortened(call.excinfo.value)
    report = yield
    if handle is not None and report.failed:
        report.sections.append(("leanbe deliveries", _evidence(handle, item.config)))
    if call.excinfo is not None and _is_circle(call.excinfo.value, report):
        report.sections.append(("leanbe", _CIRCLE))
    return report


def _product_of(receiver: "Receiver | None", leanbe: "Leanbe") -> "Product":
    if receiver is None:
        pytest.fail(_NO_RECEIVER, pytrace=False)
    return receiver.product(leanbe)


@contextmanager
def _handle_of(
    node: pytest.Item, handle: "TestedLeanbe", receiver: "Receiver | None"
) -> Generator[None, None, None]:
    """Make a handle the test's handle in the block, and close it at the end."""
    from leanbe_emitter.testing.probes import Probes  # noqa: PLC0415 - loaded when it is used

    handle.receiver = receiver
    handle.probes = node.config.stash.setdefault(_PROBES, Probes())
    with closing(handle):
        if _HANDLE in node.stash:
            pytest.fail(_TWO_HANDLES, pytrace=False)
        node.stash[_HANDLE] = handle
        yield
        del node.stash[_HANDLE]


def _shortened(error: BaseException) -> "pytest.ExceptionInfo[BaseException]":
    # Only a failed test loads this.
    from leanbe_emitter.testing.tracebacks import is_raised_at_end, shorten  # noqa: PLC0415

    if is_raised_at_end(error):
        said = pytest.fail.Exception(f"{type(error).__name__}: {error}", pytrace=False)
        error = said.with_traceback(error.__traceback__)
    else:
        shorten(error)
    return pytest.ExceptionInfo.from_exception(error)


def _is_circle(error: BaseException, report: pytest.TestReport) -> bool:
    """Say whether ``leanbe_receiver`` asked for a fixture that depends on it."""
    if not isinstance(error, pytest.FixtureLookupError):
        return False
    on_the_way = {error.argname, *(each.argname for each in error.fixturestack)}
    return "leanbe_receiver" in on_the_way and "recursive dependency" in report.longreprtext


def _evidence(handle: "TestedLeanbe", config: pytest.Config) -> str:
    from leanbe_emitter.testing.failure_report import MistakeList, failure_report_or_reason  # noqa: PLC0415 - only a failed test loads it

    mistakes = config.stash.setdefault(_MISTAKES, MistakeList())
    return failure_report_or_reason(handle, mistakes, handle.probed)


def _place_of(item: pytest.Item) -> tuple[object, str]:
    """Return the object and attribute where the runner looks for the test's function."""
    case = getattr(item, "instance", None)
    name = getattr(case, "_testMethodName", None)  # unittest's own
    return (item, "obj") if name is None else (case, name)


def _marked(node: pytest.Item) -> dict[str, Any]:
    """Return the options that the markers of a test set; the nearest marker wins."""
    from leanbe_emitter.errors import InvalidValue  # noqa: PLC0415 - loaded when it is used

    changes: dict[str, Any] = {}
    for marker in node.iter_markers("leanbe"):
        if marker.args:
            raise InvalidValue(
                f"The marker leanbe got {marker.args[0]!r} without a name.",
                hint='Name the option: @pytest.mark.leanbe(clock="system").',
            )
        assume = {**marker.kwargs.get("assume", {}), **changes.get("assume", {})}
        changes = {**marker.kwargs, **changes, "assume": assume}
    return changes


def _id_of(node: pytest.Item) -> str:
    """Return a test's id without the group that xdist may have added."""
    parent = node.parent
    return f"{parent.nodeid}::{node.name}" if parent else node.name

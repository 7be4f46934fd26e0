"""The cost of Leanbe to a test suite: a handle, a test with the fixture, an unused plugin.

Every figure of pytest is a difference between two runs, one after the other, that differ in Leanbe
alone: the fixture or an empty one, the plugin or none. Such a run waits for nothing, so what counts
is what it uses of the processor, whatever else the machine does.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.processes import Child
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run
from benchmarks.suite import Suite, Took

_FIRST, _FURTHER = Goal(at_most=50), Goal(at_most=2)
_TEST, _START = Goal(at_most=5), Goal(at_most=5)
#: So many tests a suite has.
_TESTS = 500
#: So many starts of pytest the quickest is looked for in.
_STARTS = 15

_DELIVERS = "leanbe.trigger('idea.created')"
_PRODUCT = "leanbe, leanbe_product"
#: An action of the domain, its delivery to a receiver in this process, and what is asserted of it.
_STORY = """
    leanbe_product.ideas.create(title='Dark mode')
    leanbe.deliver()
    leanbe.assert_delivered('idea.created', times=1)
"""


def measure(run: Run) -> list[Row]:
    """Return the rows."""
    return [*_handles(run), *_tests(run), _start(run)]


def _handles(run: Run) -> Iterator[Row]:
    first, further, bare = [], [], []
    for _ in range(run.rounds):
        with Child.running("handles", {"handles": run.size(300, 5)}) as child:
            told = child.ask()
        first.append(told["first"])
        further.append(median(told["further"]))
        bare.append(median(told["bare"]))
    yield Row.of("a handle in memory, the first of a process", first, "ms", goal=_FIRST)
    ratios = [
        Ratio.of(further, first, to="the first"),
        Ratio.of(further, bare, to="sqlite3.connect"),
    ]
    yield Row.of(
        "a handle in memory, each further one", further, "ms", goal=_FURTHER, ratios=ratios
    )


def _tests(run: Run) -> Iterator[Row]:
    with Suite.opened() as suite:
        # What Python and pytest keep of our modules is there in every run.
        suite.run(fixtures="leanbe", tests=1)
        yield _row(run, suite, "with the fixture leanbe", "pass", goal=_TEST)
        yield _row(run, suite, "with it and a product", "pass", fixtures=_PRODUCT)
        yield _row(run, suite, "that acts, delivers and asserts", _STORY, fixtures=_PRODUCT)
        yield _row(run, suite, "with it that delivers an event", _DELIVERS)


def _row(  # noqa: PLR0913 - a suite, what its tests do, and what is said of them
    run: Run,
    suite: Suite,
    what: str,
    body: str,
    *,
    fixtures: str = "leanbe",
    goal: Goal | None = None,
) -> Row:
    tests = run.size(_TESTS, 1)
    pairs = [
        (suite.run(fixtures=fixtures, tests=tests, body=body), suite.run(tests=tests))
        for _ in range(run.rounds)
    ]
    # One test does little more than load.
    of_one = (
        pairs
        if tests == 1
        else [
            (suite.run(fixtures=fixtures, tests=1, body=body), suite.run(tests=1))
            for _ in range(run.rounds)
        ]
    )
    loading = median(ours.used - other.used for ours, other in of_one)
    details = {"of it loading, ms": loading / tests}
    return _compared(f"a test {what}, more than an empty one", pairs, tests, goal, details)


def _start(run: Run) -> Row:
    with Suite.opened() as suite:
        pairs = [_quickest(suite, run.size(_STARTS, 1)) for _ in range(run.rounds)]
    what = "a start of pytest that does not use the plugin, more than without it"
    return _compared(what, pairs, 1, _START, {})


def _quickest(suite: Suite, times: int) -> tuple[Took, Took]:
    """Return the quickest of several starts with the plugin and without, which take turns.

    It is milliseconds of half a second: what another process disturbed does not count.
    """
    pairs = [(suite.start(plugin=True), suite.start(plugin=False)) for _ in range(times)]
    ours, without = (
        Took(waited=min(each.waited for each in side), used=min(each.used for each in side))
        for side in zip(*pairs, strict=True)
    )
    return ours, without


def _compared(
    what: str,
    pairs: Sequence[tuple[Took, Took]],
    tests: int,
    goal: Goal | None,
    details: Mapping[str, float],
) -> Row:
    """Return the row of what runs with Leanbe took more than those beside them, for each test."""
    waited = median(ours.waited - other.waited for ours, other in pairs) / tests
    return Row.of(
        what,
        [(ours.used - other.used) / tests for ours, other in pairs],
        "ms of CPU",
        goal=goal,
        ratios=[
            Ratio.of(
                [ours.used for ours, _ in pairs],
                [other.used for _, other in pairs],
                to="the run without",
            )
        ],
        details={**details, "waited, ms": waited},
    )

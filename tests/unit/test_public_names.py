"""The public names of the package, and the cost of their import."""

import re
import subprocess
import sys

import pytest

import leanbe_emitter
from leanbe_emitter import LeanbeError

#: A name here is a promise; one that is added or taken away is told in the changelog.
DOCUMENTED = {
    "Leanbe", "Product", "Webhook", "User", "Event", "Delivery", "DeliveryStatus", "Attempt",
    "Outcome", "Filter", "Entry", "TriggerRequest", "Changes", "Triggered", "DryRun",
    "OneShotSender", "WebhookTarget",
    "Customer", "Idea", "IdeaRequest", "BacklogItem", "Okr", "KeyResult", "Announcement", "Page",
    "RecordedEvents", "Settings", "ManualClock", "Envelope", "sign", "sign_text", "stringify",
    "verify", "ReceivedRequest", "transport_for", "EventsNotDelivered", "EndlessDeliveries",
    "Fault", "FaultNeedsWire", "FaultNeverFired", "Job", "Redelivered", "Metrics", "Histogram",
    "Results", "Nothing", "NotAwaited", "Explanation", "explain", "Probed",
    "EventKind", "Info",
    "LeanbeError", "NotFound", "Conflict", "InvalidValue", "InvalidTarget", "PayloadTooLarge",
    "PayloadTooDeep", "InvalidSignature", "WaitTimedOut", "DatabaseUnavailable", "DatabaseBehind",
    "OutOfDescriptors", "ReceiverUnavailable",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(finished.stdout.split())


def test_every_public_name_is_there() -> None:
    for name in leanbe_emitter.__all__:
        assert getattr(leanbe_emitter, name) is not None
    assert leanbe_emitter.__all__ == sorted(leanbe_emitter.__all__, key=lambda n: (n.islower(), n))
    assert set(leanbe_emitter.__all__) <= set(dir(leanbe_emitter))


def test_every_error_is_public_and_has_a_code_of_its_own() -> None:
    tree = [LeanbeError]
    for error in tree:
        # The command line has two of its own, which no caller of the library meets.
        tree += [each for each in error.__subclasses__() if each.__module__ == error.__module__]
    assert {error.__name__ for error in tree} <= set(leanbe_emitter.__all__)
    codes = [error.code for error in tree]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)


def test_an_error_shows_its_message_and_its_hint() -> None:
    error = leanbe_emitter.NotFound("There is no product 'x'.", hint="Name another.")
    assert str(error) == "There is no product 'x'. Name another."
    assert (error.code, error.message, error.hint) == (
        "not_found",
        "There is no product 'x'.",
        "Name another.",
    )


def test_the_public_names_are_the_documented_names() -> None:
    assert set(leanbe_emitter.__all__) == DOCUMENTED


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    assert not hasattr(leanbe_emitter, "Leanby")


#: What a receiver has no use for.
SENDING = {"sqlalchemy", "alembic", "click", "rich", "httpx", "httptools", "tenacity"}
FRAMEWORKS = {"fastapi", "starlette", "flask", "django"}


def test_verify_loads_nothing_heavy() -> None:
    modules = loaded_by("from leanbe_emitter import verify, sign, stringify, InvalidSignature")
    assert modules & {*SENDING, "asyncio"} == set()
    assert "leanbe_emitter.wire.envelope" in modules


def test_the_documents_of_a_database_load_no_sender() -> None:
    modules = loaded_by("import leanbe_emitter.library.documents.documents_handle")
    ours = {name for name in modules if name.startswith("leanbe_emitter.delivery.")}
    assert ours & {f"leanbe_emitter.delivery.{each}" for each in ("worker", "network")} == set()
    assert modules & {"httptools", "tenacity", "pydantic"} == set()


def test_the_receivers_load_no_framework_until_one_is_named() -> None:
    modules = loaded_by("import leanbe_emitter.receivers.verifier")
    assert modules & {*SENDING, *FRAMEWORKS, "asyncio"} == set()


@pytest.mark.parametrize(
    ("module", "frameworks"),
    [("fastapi", {"starlette"}), ("flask", {"flask"}), ("django", {"django"})],
)
def test_a_receiver_loads_its_own_framework_and_nothing_of_the_sending_side(
    module: str, frameworks: set[str]
) -> None:
    modules = loaded_by(f"import leanbe_emitter.receivers.{module}")
    ours = {name for name in modules if name.startswith("leanbe_emitter.")}
    assert modules & FRAMEWORKS == frameworks
    assert {name.split(".")[1] for name in ours} == {"receivers", "wire", "errors", "hints"}

"""JSON Schema of checks and their reports."""

from typing import Final

from leanbe_emitter.conformance.report import Level, Verdict
from leanbe_emitter.server.schemas.json_schema import (
    enum,
    identifier,
    integer,
    list_of,
    number,
    object_of,
    or_null,
    string,
)

_ID = "64a28ec49c3a1954e6a2e504"
_FIX: Final = {
    "type": "object",
    "description": "The line to change, by language; empty without a finding.",
    "additionalProperties": {"type": "string"},
    "examples": [{"python": 'if not verifies(body): return "", 401'}],
}
_DIAGNOSIS: Final = object_of(
    {
        "what": string("You hash the raw body.", "The receiver's mistake."),
        "proof": string("It accepted an event signed that way.", "What proves it."),
        "fix": _FIX,
        "careful": string("", "What else to know; empty if nothing."),
    }
)
_RESULT: Final = object_of(
    {
        "id": string("signature.missing", "Id of the check."),
        "level": enum(Level, "How much it counts; `told` is not graded."),
        "verdict": enum(Verdict, "What it came to."),
        "sent": string("no signature", "What was sent."),
        "expected": string("4xx", "What should come."),
        "got": string("204 No Content", "What came."),
        "why": string("Anybody who knows the URL can send events.", "Why it matters."),
        "cause": string("", "Mistake that explains this finding and others; empty if unknown."),
        "fix": _FIX,
        "curl": string("", "Command that repeats the request; empty without a finding."),
    }
)
_REPORT: Final = object_of(
    {
        "url": string("http://127.0.0.1:8000/hooks/leanbe", "URL of the receiver."),
        "seed": integer(1, "Repeats the ids of the run."),
        "result": enum(("passed", "failed"), "`failed` if a `must` failed."),
        "requests": integer(97, "How many requests were sent."),
        "seconds": number(1.2, "How long it took."),
        "counts": object_of({each.value: integer(0, f"How many: {each}.") for each in Verdict}),
        "diagnosis": or_null(
            {**_DIAGNOSIS, "description": "The mistake, if the plainest event is refused."}
        ),
        "checks": {**list_of(_RESULT), "description": "A result for each check."},
    }
)
BEGUN: Final = object_of({"_id": identifier(_ID, "Id of the check.")})
CHECK: Final = object_of(
    {
        "_id": identifier(_ID, "Id of the check."),
        "state": enum(("running", "finished", "failed"), "State of the check."),
        "error": string("", "Why there is no report; empty if there is none to tell."),
        "report": or_null({**_REPORT, "description": "The report, as soon as it is finished."}),
    }
)

"""What the article leaves open, as data: thirty questions, their evidence, and their switches.

One entry for each switch, in the contract's order (d-1 to d-30); a question without a switch has an
entry without a name that says why. Name, kind, values and default of a switch are those of
``AssumptionSet``'s field: they are read from it here, never written twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.suggestions import any_of, did_you_mean


class Kind(StrEnum):
    """What a switch's value looks like."""

    CHOICE = "choice"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"
    LIST = "list"


class SettledAt(StrEnum):
    """When a switch is read."""

    #: It shapes bytes: settled when the event is recorded, and stored with it.
    RECORDING = "recording"
    #: It steers delivery: read from the product when an attempt is made.
    ATTEMPT = "attempt"
    #: It steers the domain: read from the product when somebody acts.
    ACTION = "action"


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One reading of the article that could be otherwise (contract d).

    Attributes:
        number: the contract's clause, ``d-1``.
        name: the switch; empty where there is none.
        question: what is not known.
        evidence: what speaks for the default, and against it.
        note: what the values mean, or why there is no switch.
        default: the article's value as text; without a switch, the reading in words.
        kind: what a value looks like; None without a switch.
        values: the closed list of values; empty where the list is open.
        accepts: what may be given, in words of a sentence.
        settled_at: when the switch is read; None without a switch.
    """

    number: str
    name: str
    question: str
    evidence: str
    note: str
    default: str
    kind: Kind | None = None
    values: tuple[str, ...] = ()
    accepts: str = ""
    settled_at: SettledAt | None = None

    def document(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return it as JSON, with its value.

        Args:
            values: the switches that were set, by name.
        """
        return {
            "number": self.number,
            "name": self.name,
            "question": self.question,
            "evidence": self.evidence,
            "note": self.note,
            "kind": self.kind,
            "values": list(self.values),
            "accepts": self.accepts,
            "article": self.default,
            "settledAt": self.settled_at,
            "value": values.get(self.name, self.default),
        }


def text_of(value: object) -> str:
    """Return the canonical text of a switch's value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_duration(value)
    if isinstance(value, tuple):
        return ",".join(text_of(each) for each in value)
    return str(value)


_ACCEPTS = {
    "max_attempts": "a whole number from 1 to 100",
    "timeout": "a duration such as 500ms, 10s or 2m",
    "backoff": "durations with commas between them, such as 5s,30s,2m",
    "events": "event names or globs with commas between them, such as idea.*,customer.created",
    "signature_header": "a header's name, such as X-Leanbe-Signature",
    "content_type": "a media type, such as application/json",
}


def _kind_of(value: object) -> Kind:
    match value:
        case StrEnum():
            return Kind.CHOICE
        case bool():
            return Kind.BOOLEAN
        case int():
            return Kind.NUMBER
        case float():
            return Kind.DURATION
        case tuple():
            return Kind.LIST
        case _:
            return Kind.TEXT


def _values_of(value: object) -> tuple[str, ...]:
    match value:
        case StrEnum():
            return tuple(each.value for each in type(value))
        case bool():
            return ("true", "false")
        case _:
            return ()


def _switch(  # noqa: PLR0913 - one argument for each column of the contract's table
    number: str, name: str, settled_at: SettledAt, *, question: str, evidence: str, note: str = ""
) -> Assumption:
    value: object = getattr(ARTICLE, name)
    values = _values_of(value)
    return Assumption(
        number=number,
        name=name,
        question=question,
        evidence=evidence,
        note=note,
        default=text_of(value),
        kind=_kind_of(value),
        values=values,
        accepts=any_of(values) if values else _ACCEPTS[name],
        settled_at=settled_at,
    )


def _without_switch(
    number: str, *, question: str, evidence: str, default: str, note: str
) -> Assumption:
    return Assumption(
        number=number, name="", question=question, evidence=evidence, default=default, note=note
    )


_SILENT = "The article says nothing of it."

#: Everything that the article leaves open, in the contract's order.
ASSUMPTIONS: tuple[Assumption, ...] = (
    _switch(
        "d-1",
        "signature_location",
        SettledAt.RECORDING,
        question="Does the signature stand in the body or in a header?",
        evidence="The body is named twice and shown twice; a header is mentioned once, unnamed.",
    ),
    _switch(
        "d-1",
        "signature_header",
        SettledAt.RECORDING,
        question="If it stands in a header, in which?",
        evidence="No name is known.",
        note="Used only where signature_location is header or both.",
    ),
    _switch(
        "d-2",
        "signature_scheme",
        SettledAt.RECORDING,
        question="Is the signature an HMAC, or a plain SHA-256 of payload and secret?",
        evidence="The prose calls it a SHA256 hash of both; the formula is an HMAC-SHA256.",
        note="The two plain schemes differ in what comes first.",
    ),
    _switch(
        "d-3",
        "signed_content",
        SettledAt.RECORDING,
        question="Which text is signed?",
        evidence="The formula signs `payload`, a member of the body; a sentence beside it calls "
        "payload the whole body, which would contain its own signature.",
    ),
    _switch(
        "d-4",
        "triggered_at",
        SettledAt.RECORDING,
        question="Is triggeredAt in Pacific time or in UTC?",
        evidence="The prose says PDT; the ObjectIds of the examples prove that they are in UTC.",
        note="la-wallclock-with-Z prints Los Angeles' time and a Z all the same; la-offset prints "
        "it with its offset. Times inside the payload stay in UTC.",
    ),
    _switch(
        "d-5",
        "restamp_on_retry",
        SettledAt.ATTEMPT,
        question="Is triggeredAt the time of the event, or of each attempt?",
        evidence="It is called the time of the request; the examples' are 158 ms and 181 ms after "
        "the document was saved.",
        note="With true, every attempt after the first has other bytes.",
    ),
    _switch(
        "d-6",
        "method",
        SettledAt.RECORDING,
        question="Which method has the request?",
        evidence=_SILENT,
    ),
    _switch(
        "d-6",
        "content_type",
        SettledAt.RECORDING,
        question="Which content type has the request?",
        evidence="The article says only that a JSON object is sent.",
        note="Further headers are the webhook's own.",
    ),
    _switch(
        "d-7",
        "max_attempts",
        SettledAt.ATTEMPT,
        question="How often is a delivery attempted?",
        evidence=_SILENT + " Comparable services try three to seven times.",
        note="1 is the reading that Leanbe never retries.",
    ),
    _switch(
        "d-7",
        "backoff",
        SettledAt.ATTEMPT,
        question="How long are the waits between attempts?",
        evidence=_SILENT,
        note="The last wait is used again where there are more attempts than waits.",
    ),
    _switch(
        "d-7",
        "timeout",
        SettledAt.ATTEMPT,
        question="How long may a receiver take to answer?",
        evidence=_SILENT + " Comparable services give 5 to 10 seconds.",
    ),
    _switch(
        "d-7",
        "success",
        SettledAt.ATTEMPT,
        question="Which answers accept a delivery?",
        evidence=_SILENT,
    ),
    _switch(
        "d-7",
        "follow_redirects",
        SettledAt.ATTEMPT,
        question="Are redirects followed?",
        evidence=_SILENT,
    ),
    _switch(
        "d-7",
        "ordering",
        SettledAt.ATTEMPT,
        question="Does a delivery that fails hold up those behind it?",
        evidence=_SILENT,
        note="start: deliveries begin in the order of their events. strict: one at a time, and "
        "the next waits until it is delivered or exhausted.",
    ),
    _switch(
        "d-8",
        "events",
        SettledAt.RECORDING,
        question="Can a product choose which events it is sent?",
        evidence="The set-up has one URL and no step in which events are chosen.",
        note="A filter for tests: other events are recorded, and owed to nobody.",
    ),
    _switch(
        "d-9",
        "regenerate_secret_on_url_change",
        SettledAt.ACTION,
        question="Does another URL bring another secret?",
        evidence="A secret is said to be generated once the URL is entered; no more is said.",
    ),
    _without_switch(
        "d-10",
        question="What are the webhook's response, its headers and its body?",
        evidence="The article calls the request that Leanbe sends a response.",
        default="a request",
        note="No switch: there is no response of Leanbe's that the words could mean.",
    ),
    _switch(
        "d-11",
        "idea_request_ref_key",
        SettledAt.RECORDING,
        question="Which key holds the id of a request that is attached to an idea?",
        evidence="The example has `id`; every other document has `_id`.",
    ),
    _switch(
        "d-12",
        "vote_model",
        SettledAt.ACTION,
        question="What is a downvote?",
        evidence="A downvote is said to be added, yet an idea counts upvotes only.",
        note="separate: a vote of its own that upvotes does not count. toggle: an upvote taken "
        "back. net: a vote of its own that is subtracted, so that upvotes may be negative.",
    ),
    _switch(
        "d-13",
        "cascade",
        SettledAt.ACTION,
        question="Does a vote, a promotion or an attachment raise idea.updated, too?",
        evidence="The article says only that an existing idea is updated. One comparable service "
        "excludes it, another has the general event only.",
        note="updated: the general event follows directly after the specific one.",
    ),
    _without_switch(
        "d-14",
        question="Does a change of status raise backlogItem.updated, too?",
        evidence="As for ideas.",
        default="no, unless other fields changed in the same save",
        note="No switch of its own: cascade answers this as well.",
    ),
    _switch(
        "d-15",
        "deleted_payload",
        SettledAt.RECORDING,
        question="Is the payload of a deletion the whole document, or its id?",
        evidence="The payload is said to hold all data of the event.",
        note="full: the document as it last was.",
    ),
    _switch(
        "d-16",
        "vote_payload",
        SettledAt.RECORDING,
        question="Does a vote say whose it is?",
        evidence="The payload is said to hold all data of the event; most comparable services "
        "send the voter.",
    ),
    _switch(
        "d-17",
        "customer_fanout",
        SettledAt.ACTION,
        question="Which products hear of a customer?",
        evidence="A customer lists several products; webhooks are settings of one.",
        note="origin: only the product in which the customer was created.",
    ),
    _switch(
        "d-18",
        "unset",
        SettledAt.RECORDING,
        question="Is a field without a value left out, or null?",
        evidence="Only `image` is shown without a value, as an empty object.",
    ),
    _switch(
        "d-19",
        "promote_creates_backlog_item",
        SettledAt.ACTION,
        question="Does promoting an idea create a backlog item?",
        evidence="Only the flag `promoted` is shown.",
    ),
    _without_switch(
        "d-20",
        question="Which values have source, type, gender and visibility?",
        evidence="One example of each.",
        default="any text",
        note="No switch: every text is accepted already.",
    ),
    _switch(
        "d-21",
        "vote_touches_updated_at",
        SettledAt.ACTION,
        question="Does a vote move the idea's updatedAt?",
        evidence=_SILENT,
    ),
    _without_switch(
        "d-22",
        question="In which order do the keys stand?",
        evidence="Two examples; receivers serialise again in the order that they received.",
        default="the examples' order, and for invented documents one like it",
        note="No switch: what is signed depends on the order, so it is part of the contract.",
    ),
    _without_switch(
        "d-23",
        question="Can the examples' signatures be computed?",
        evidence="The examples were edited after they were captured.",
        default="no",
        note="No switch: it is a fact about the examples.",
    ),
    _without_switch(
        "d-24",
        question="Are there events that the list leaves out: comments, votes withdrawn, requests "
        "edited, announcements published?",
        evidence="The list is said to be the full one.",
        default="no",
        note="No switch: an invented event would teach receivers what Leanbe never sends. Where "
        "an .updated event exists, cascade raises it.",
    ),
    _switch(
        "d-25",
        "pretty_body",
        SettledAt.RECORDING,
        question="Is the body sent compact or indented?",
        evidence="The examples are indented, for reading.",
        note="With true the signature is still over the compact payload: the article's formula "
        "verifies, a receiver that hashes the raw body fails.",
    ),
    _switch(
        "d-26",
        "include_changes",
        SettledAt.RECORDING,
        question="Do updates say what changed?",
        evidence=_SILENT + " Several comparable services do.",
        note="With true, .updated events end in a list of field, oldValue and newValue.",
    ),
    _switch(
        "d-27",
        "require_https",
        SettledAt.ACTION,
        question="Must the URL begin with https?",
        evidence=_SILENT,
    ),
    _switch(
        "d-28",
        "require_confirmed",
        SettledAt.ACTION,
        question="Must a customer's e-mail be confirmed before they vote?",
        evidence="Leanbe's page on single sign-on speaks of e-mail verification.",
    ),
    _switch(
        "d-29",
        "resign_queued",
        SettledAt.ATTEMPT,
        question="Are deliveries that wait signed again when the secret is rotated?",
        evidence=_SILENT,
    ),
    _switch(
        "d-30",
        "stop_on_gone",
        SettledAt.ATTEMPT,
        question="Does the answer 410 Gone end the retries?",
        evidence=_SILENT,
    ),
)

_BY_NAME: Mapping[str, Assumption] = {each.name: each for each in ASSUMPTIONS if each.name}

#: The names of all assumptions that can be set, in the contract's order.
ASSUMPTION_NAMES: tuple[str, ...] = tuple(_BY_NAME)


def assumption(name: str) -> Assumption:
    """Return the assumption of that name.

    Raises:
        InvalidValue: there is none; the hint names the nearest.
    """
    if name not in _BY_NAME:
        suggestion = did_you_mean(name, ASSUMPTION_NAMES)
        raise InvalidValue(
            f"There is no assumption {name!r}.",
            hint=suggestion or f"The assumptions are {', '.join(ASSUMPTION_NAMES)}.",
        )
    return _BY_NAME[name]

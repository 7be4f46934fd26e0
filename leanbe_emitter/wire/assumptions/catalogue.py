"""The catalogue of assumptions: the thirty questions that the article leaves open, with evidence.

It has one entry for each assumption, in the contract's order (d-1 to d-30). A question whose answer
cannot be set has an entry without a name; the entry's note says why. Kind, values and default of an
entry come from the field of ``AssumptionSet``, so that no two places can disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean
from leanbe_emitter.wire.durations import format_duration


class Kind(StrEnum):
    """The type of an assumption's value."""

    CHOICE = "choice"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"
    LIST = "list"


class SettledAt(StrEnum):
    """When the program applies an assumption."""

    #: It shapes bytes: the program applies it when it records the event, and stores it with it.
    RECORDING = "recording"
    #: It steers delivery: the program reads it from the product at each attempt.
    ATTEMPT = "attempt"
    #: It steers actions: the program reads it from the product at each action.
    ACTION = "action"


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """A question that the article leaves open, and the answer that this program takes.

    Attributes:
        number: the number of the question, ``d-1``.
        name: the name to set it by; empty if it cannot be set.
        question: the question.
        evidence: the facts for and against the default.
        note: the meaning of the values, or the reason why it cannot be set.
        default: the article's value as text; if it cannot be set, the answer in words.
        kind: the type of its value; None if it cannot be set.
        values: the closed list of values; empty if the list is open.
        accepts: the values that users may set, as part of a sentence.
        settled_at: when the program applies it; None if it cannot be set.
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
        """Return the assumption as JSON, with its present value.

        Args:
            values: the assumptions that were set, by name.
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
    """Return the canonical text of an assumption's value."""
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
    "backoff": "durations separated by commas, such as 5s,30s,2m",
    "events": "event names or globs separated by commas, such as idea.*,customer.created",
    "signature_header": "the name of a header, such as X-Leanbe-Signature",
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


def _settable(  # noqa: PLR0913 - one argument for each column of the contract's table
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


def _not_settable(
    number: str, *, question: str, evidence: str, default: str, note: str
) -> Assumption:
    return Assumption(
        number=number, name="", question=question, evidence=evidence, default=default, note=note
    )


_SILENT = "The article does not say."

#: All assumptions, in the contract's order.
ASSUMPTIONS: tuple[Assumption, ...] = (
    _settable(
        "d-1",
        "signature_location",
        SettledAt.RECORDING,
        question="Is the signature in the body or in a header?",
        evidence="The article names the body twice and shows it twice. It mentions a header once, "
        "without a name.",
    ),
    _settable(
        "d-1",
        "signature_header",
        SettledAt.RECORDING,
        question="Which header holds the signature?",
        evidence="The article names no header.",
        note="Used only if signature_location is header or both.",
    ),
    _settable(
        "d-2",
        "signature_scheme",
        SettledAt.RECORDING,
        question="Is the signature an HMAC, or a plain SHA-256 of payload and secret?",
        evidence="The article's text says a SHA256 hash of both. Its formula is an HMAC-SHA256.",
        note="sha256-payload-secret hashes the payload first, sha256-secret-payload the secret.",
    ),
    _settable(
        "d-3",
        "signed_content",
        SettledAt.RECORDING,
        question="Which text is signed?",
        evidence="The formula signs `payload`, a member of the body. A sentence beside it calls "
        "the whole body payload. Such a body would contain its own signature.",
    ),
    _settable(
        "d-4",
        "triggered_at",
        SettledAt.RECORDING,
        question="Is triggeredAt in Pacific time or in UTC?",
        evidence="The article's text says PDT. The ObjectIds of its examples prove UTC.",
        note="la-wallclock-with-Z prints the time of Los Angeles with a Z, which is wrong on "
        "purpose. la-offset prints that time with its offset. Times in the payload stay in UTC.",
    ),
    _settable(
        "d-5",
        "restamp_on_retry",
        SettledAt.ATTEMPT,
        question="Is triggeredAt the time of the event, or of each attempt?",
        evidence="The article calls it the time of the request. In its examples, it is 158 ms and "
        "181 ms later than the document's last change.",
        note="With true, each attempt after the first sends different bytes.",
    ),
    _settable(
        "d-6",
        "method",
        SettledAt.RECORDING,
        question="Which HTTP method does the request use?",
        evidence=_SILENT,
    ),
    _settable(
        "d-6",
        "content_type",
        SettledAt.RECORDING,
        question="Which content type does the request have?",
        evidence="The article says only that Leanbe sends a JSON object.",
        note="To send more headers, set them in the webhook settings.",
    ),
    _settable(
        "d-7",
        "max_attempts",
        SettledAt.ATTEMPT,
        question="How many attempts does a delivery get?",
        evidence=_SILENT + " Comparable services make three to seven attempts.",
        note="With 1, Leanbe never retries.",
    ),
    _settable(
        "d-7",
        "backoff",
        SettledAt.ATTEMPT,
        question="How long are the waits between attempts?",
        evidence=_SILENT,
        note="The last wait repeats if there are more attempts than waits.",
    ),
    _settable(
        "d-7",
        "timeout",
        SettledAt.ATTEMPT,
        question="How long may a receiver take to answer?",
        evidence=_SILENT + " Comparable services wait 5 to 10 seconds.",
    ),
    _settable(
        "d-7",
        "success",
        SettledAt.ATTEMPT,
        question="Which answers accept a delivery?",
        evidence=_SILENT,
    ),
    _settable(
        "d-7",
        "follow_redirects",
        SettledAt.ATTEMPT,
        question="Does Leanbe follow redirects?",
        evidence=_SILENT,
    ),
    _settable(
        "d-7",
        "ordering",
        SettledAt.ATTEMPT,
        question="Does a delivery that fails hold up the next ones?",
        evidence=_SILENT,
        note="start: deliveries begin in the order of their events. strict: the product sends one "
        "delivery at a time, and the next waits until it is delivered or exhausted.",
    ),
    _settable(
        "d-8",
        "events",
        SettledAt.RECORDING,
        question="Can a product choose the events that it gets?",
        evidence="The set-up has one URL and no step to choose events.",
        note="A filter for tests. Events that it leaves out are recorded and not sent.",
    ),
    _settable(
        "d-9",
        "regenerate_secret_on_url_change",
        SettledAt.ACTION,
        question="Does a new URL bring a new secret?",
        evidence="The article says only that Leanbe generates a secret when the URL is entered.",
    ),
    _not_settable(
        "d-10",
        question="What does the article mean by the webhook's response, its headers and its body?",
        evidence="The article calls the request that Leanbe sends a response.",
        default="a request",
        note="It cannot be set: Leanbe sends no response that the words could mean.",
    ),
    _settable(
        "d-11",
        "idea_request_ref_key",
        SettledAt.RECORDING,
        question="Which key holds the id of a request that is attached to an idea?",
        evidence="The example has `id`. Every other document has `_id`.",
    ),
    _settable(
        "d-12",
        "vote_model",
        SettledAt.ACTION,
        question="What is a downvote?",
        evidence="The article says that a downvote is added, but ideas count only upvotes.",
        note="separate: a vote that upvotes does not count. toggle: an upvote that is taken back. "
        "net: a vote that is subtracted, so that upvotes may be negative.",
    ),
    _settable(
        "d-13",
        "cascade",
        SettledAt.ACTION,
        question="Does a vote, a promotion or an attachment raise idea.updated, too?",
        evidence="The article says only that the event means an update of an existing idea. One "
        "comparable service excludes these actions; another has the general event only.",
        note="updated: the general event follows directly after the specific one.",
    ),
    _not_settable(
        "d-14",
        question="Does a change of status raise backlogItem.updated, too?",
        evidence="The article does not say, as for ideas.",
        default="no, unless other fields changed in the same save",
        note="It cannot be set on its own: cascade decides this, too.",
    ),
    _settable(
        "d-15",
        "deleted_payload",
        SettledAt.RECORDING,
        question="Is the payload of a deletion the whole document or its id?",
        evidence="The article says that the payload holds all data of the event.",
        note="full: the document before its deletion.",
    ),
    _settable(
        "d-16",
        "vote_payload",
        SettledAt.RECORDING,
        question="Does the payload of a vote name the voter?",
        evidence="The article says that the payload holds all data of the event. Most comparable "
        "services send the voter.",
    ),
    _settable(
        "d-17",
        "customer_fanout",
        SettledAt.ACTION,
        question="Which products get the events of a customer of several products?",
        evidence="A customer may belong to several products. A webhook belongs to one product.",
        note="origin: only the product that created the customer.",
    ),
    _settable(
        "d-18",
        "unset",
        SettledAt.RECORDING,
        question="Is a field without a value left out, or null?",
        evidence="The article shows one field without a value: `image`, an empty object.",
    ),
    _settable(
        "d-19",
        "promote_creates_backlog_item",
        SettledAt.ACTION,
        question="Does promoting an idea create a backlog item?",
        evidence="The article shows only the flag `promoted`.",
    ),
    _not_settable(
        "d-20",
        question="Which values can source, type, gender and visibility have?",
        evidence="The article has one example of each.",
        default="any text",
        note="It cannot be set: the program accepts every text.",
    ),
    _settable(
        "d-21",
        "vote_touches_updated_at",
        SettledAt.ACTION,
        question="Does a vote change the idea's updatedAt?",
        evidence=_SILENT,
    ),
    _not_settable(
        "d-22",
        question="Which order do the keys have?",
        evidence="The article has two examples. Receivers serialise in the order of the body.",
        default="the order of the examples; a similar order for other documents",
        note="It cannot be set: the signature depends on the order.",
    ),
    _not_settable(
        "d-23",
        question="Can the examples' signatures be computed?",
        evidence="Somebody edited the examples after the capture.",
        default="no",
        note="It cannot be set: it is a fact about the examples.",
    ),
    _not_settable(
        "d-24",
        question="Are there events that the list leaves out, for example for comments, withdrawn "
        "votes, edited requests or published announcements?",
        evidence="The article calls its list complete.",
        default="no",
        note="It cannot be set: Leanbe would never send an invented event. If a document has an "
        ".updated event, cascade raises it.",
    ),
    _settable(
        "d-25",
        "pretty_body",
        SettledAt.RECORDING,
        question="Is the body compact or indented?",
        evidence="The examples are indented, perhaps only for readers.",
        note="With true, the signature is still over the compact payload. The article's formula "
        "verifies; a receiver that hashes the raw body fails.",
    ),
    _settable(
        "d-26",
        "include_changes",
        SettledAt.RECORDING,
        question="Do updates say what changed?",
        evidence=_SILENT + " Several comparable services send the changes.",
        note="With true, .updated events end in a list of field, oldValue and newValue.",
    ),
    _settable(
        "d-27",
        "require_https",
        SettledAt.ACTION,
        question="Must the URL begin with https?",
        evidence=_SILENT,
    ),
    _settable(
        "d-28",
        "require_confirmed",
        SettledAt.ACTION,
        question="Must a customer confirm the e-mail before voting?",
        evidence="Leanbe's page on single sign-on mentions e-mail verification.",
    ),
    _settable(
        "d-29",
        "resign_queued",
        SettledAt.ATTEMPT,
        question="Are waiting deliveries signed again when the secret is rotated?",
        evidence=_SILENT,
    ),
    _settable(
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

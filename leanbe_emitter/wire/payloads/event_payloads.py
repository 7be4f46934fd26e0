"""The shapes of the six resources and of the payloads of the 22 events (contract b).

An event's payload is its resource's document, followed by the members that the event adds. So the
document is a prefix of the payload, and the signature covers all of it (contract b.0).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from leanbe_emitter.wire.assumptions.assumption_set import (
    ARTICLE,
    AssumptionSet,
    DeletedPayload,
    SignatureLocation,
    TriggeredAt,
    VoteModel,
    VotePayload,
)
from leanbe_emitter.wire.event_names import Source, event_kind
from leanbe_emitter.wire.payloads.shapes import (
    Anything,
    Boolean,
    Field,
    FreeForm,
    Integer,
    ListOf,
    Number,
    Object,
    Shape,
    Text,
    arrange,
)
from leanbe_emitter.wire.stringify import JSON

_INSTANT_DIGITS = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}"

_TEXT = Text()
_TITLE = Text(filled=True)
_HTML = Text()
_OBJECT_ID = Text(pattern="^[0-9a-f]{24}$")
_INSTANT = Text(pattern=_INSTANT_DIGITS + "Z$", format="date-time")
_LOCAL_INSTANT = Text(pattern=_INSTANT_DIGITS + "[+-][0-9]{2}:[0-9]{2}$", format="date-time")
_DATE = Text(format="date")
_EMAIL = Text(format="email")
_UUID = Text(
    pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", format="uuid"
)
_COLOUR = Text(pattern="^#[0-9A-F]{6}$")
_HEX_SHA256 = Text(pattern="^[0-9a-f]{64}$")
_FLAG = Boolean()
_PERCENT = Integer(minimum=0, maximum=100)


class _Fields:
    """Makes fields that come from one source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def always(self, name: str, shape: Shape, meaning: str) -> Field:
        """Make a field that every document has."""
        return Field(name=name, shape=shape, meaning=meaning, required=True, source=self._source)

    def maybe(self, name: str, shape: Shape, meaning: str) -> Field:
        """Make a field that a document has only with a value."""
        return Field(name=name, shape=shape, meaning=meaning, required=False, source=self._source)


_stated = _Fields(Source.STATED)
_inferred = _Fields(Source.INFERRED)


def _object(*fields: Field, name: str = "") -> Object:
    return Object(name=name, fields=fields)


def _list(name: str, *fields: Field) -> ListOf:
    return ListOf(item=Object(name=name, fields=fields))


_USER_REFERENCE = _object(
    _stated.always("_id", _TEXT, "The team member's id."),
    _stated.always("firstName", _TEXT, "The team member's first name."),
    _stated.always("email", _EMAIL, "The team member's e-mail."),
    name="UserReference",
)
_PRODUCT_REFERENCE = _object(
    _stated.always("_id", _TEXT, "The product's id."),
    _stated.always("name", _TEXT, "The product's name."),
    name="ProductReference",
)
_CUSTOMER_REFERENCE = _object(
    _inferred.always("_id", _TEXT, "The customer's id."),
    _inferred.maybe("firstName", _TEXT, "The customer's first name."),
    _inferred.maybe("lastName", _TEXT, "The customer's last name."),
    _inferred.always("email", _EMAIL, "The customer's e-mail."),
    name="CustomerReference",
)
_IDEA_REFERENCE = _object(
    _inferred.always("_id", _TEXT, "The idea's id."),
    _inferred.always("title", _TEXT, "The idea's title."),
    name="IdeaReference",
)
_STATED_TAGS = _list("Tag", _stated.always("title", _TEXT, "The tag."))
_INFERRED_TAGS = _list("Tag", _inferred.always("title", _TEXT, "The tag."))


def _times_and_product(made: _Fields) -> tuple[Field, Field, Field]:
    return (
        made.always("createdAt", _INSTANT, "When it was created, in UTC."),
        made.always("updatedAt", _INSTANT, "When a stored field last changed, in UTC."),
        made.always("product", _PRODUCT_REFERENCE, "The product it belongs to."),
    )


def _idea(assumptions: AssumptionSet) -> Object:
    """Contract b.1."""
    fewest = None if assumptions.vote_model is VoteModel.NET else 0
    key = assumptions.idea_request_ref_key.value
    return _object(
        _stated.always("_id", _OBJECT_ID, "The idea's id."),
        _stated.always("owner", _USER_REFERENCE, "The team member who owns it."),
        _stated.maybe("assigned", _USER_REFERENCE, "The team member who works on it."),
        _stated.always("title", _TITLE, "Its title."),
        _stated.maybe("description", _TEXT, "What it is about, as plain text."),
        _stated.maybe("descriptionHTML", _HTML, "What it is about, as HTML."),
        _stated.always("tags", _STATED_TAGS, "Its tags."),
        _stated.always("visibility", _TEXT, "Who sees it: public, or another word."),
        _stated.always("promoted", _FLAG, "Whether it was taken into the backlog."),
        _stated.always("archived", _FLAG, "Whether it was put away."),
        _stated.always("upvotes", Integer(minimum=fewest), "How many votes it has."),
        *_times_and_product(_stated),
        _stated.always(
            "ideaRequests",
            _list(
                "IdeaRequestReference",
                _stated.always(key, _TEXT, "The request's id."),
                _stated.always("title", _TEXT, "The request's title."),
            ),
            "The requests that are attached to it.",
        ),
    )


def _customer(_: AssumptionSet) -> Object:
    """Contract b.2."""
    return _object(
        _stated.always("_id", _OBJECT_ID, "The customer's id."),
        _stated.maybe("firstName", _TEXT, "First name."),
        _stated.maybe("lastName", _TEXT, "Last name."),
        _stated.always("publicId", _UUID, "An id for use outside Leanbe."),
        _stated.always("email", _EMAIL, "E-mail, unique in a product."),
        _stated.maybe("phone", _TEXT, "Telephone number."),
        _stated.maybe("state", _TEXT, "State or region."),
        _stated.maybe("city", _TEXT, "City."),
        _stated.maybe("addressLine1", _TEXT, "First line of the address."),
        _stated.maybe("addressLine2", _TEXT, "Second line of the address."),
        _stated.maybe("zipcode", _TEXT, "Postal code."),
        _stated.maybe("country", _COUNTRY, "Country."),
        _stated.maybe("company", _COMPANY, "Where the customer works, and as what."),
        _stated.always("image", FreeForm(), "Picture; an empty object where there is none."),
        _stated.maybe("gender", _TEXT, "Gender, in any words."),
        _stated.always("source", _TEXT, "How the customer became known: Manual, or another word."),
        _stated.maybe("type", _TEXT, "The part the customer plays in buying, in any words."),
        _stated.always("confirmed", _FLAG, "Whether the e-mail was verified."),
        _stated.always(
            "products", ListOf(item=_PRODUCT_REFERENCE), "The products the customer belongs to."
        ),
        _stated.always("bgColor", _COLOUR, "Colour behind the initials."),
        _stated.always("isTemporary", _FLAG, "Whether the record awaits identification."),
        _stated.always("devices", _DEVICES, "Devices the customer was seen with."),
        _stated.always("billing_details", _BILLING_DETAILS, "What the customer pays for."),
        _stated.always("notes", _NOTES, "Notes of the team."),
        _stated.always("createdAt", _INSTANT, "When it was created, in UTC."),
        _stated.always("updatedAt", _INSTANT, "When a stored field last changed, in UTC."),
    )


_COUNTRY = _object(
    _stated.maybe("countryCode", _TEXT, "Two letters: US."),
    _stated.maybe("countryName", _TEXT, "Its name in English."),
    name="Country",
)
_COMPANY = _object(
    _stated.maybe("name", _TEXT, "The company's name."),
    _stated.maybe("jobTitle", _TEXT, "What the customer does there."),
    _stated.maybe("seniority", _TEXT, "How senior the customer is there."),
    _stated.maybe("salary", _TEXT, "A salary as it is displayed."),
    name="Company",
)
_DEVICES = _list(
    "Device",
    _stated.always("_id", _TEXT, "The device's id, of any form."),
    _stated.maybe("name", _TEXT, "The device's name."),
    _stated.maybe("deviceType", _TEXT, "Mobile, Laptop, or another word."),
    _stated.maybe("brand", _TEXT, "Who made it."),
    _stated.maybe("system", _TEXT, "Its operating system."),
    _stated.maybe("browser", _TEXT, "Its browser."),
    _stated.maybe("language", _TEXT, "Its language."),
)
_BILLING_DETAILS = _list(
    "BillingDetail",
    _stated.always("_id", _TEXT, "The entry's id, of any form."),
    _stated.maybe("plan_type", _TEXT, "The plan."),
    _stated.maybe("plan_tier", _TEXT, "The plan's tier."),
    _stated.maybe("plan_frequency", _TEXT, "How often it is paid."),
    _stated.maybe("subscription_start_date", _DATE, "First day, as YYYY-MM-DD."),
    _stated.maybe("subscription_end_date", _DATE, "Last day, as YYYY-MM-DD."),
    _stated.maybe("plan_price", _TEXT, "A price as it is displayed."),
)
_NOTES = _list("Note", _stated.always("note", _TEXT, "The note."))


def _idea_request(_: AssumptionSet) -> Object:
    """Contract b.3."""
    return _object(
        _inferred.always("_id", _OBJECT_ID, "The request's id."),
        _inferred.maybe("customer", _CUSTOMER_REFERENCE, "Who asked, where it is known."),
        _stated.always("title", _TITLE, "What is asked for."),
        _inferred.maybe("description", _TEXT, "More of it, as plain text."),
        _inferred.maybe("descriptionHTML", _HTML, "More of it, as HTML."),
        _inferred.always("status", Text(choices=("new", "attached", "ignored")), "Its state."),
        _inferred.always("source", _TEXT, "Where it came in: Portal, Widget, Manual, ..."),
        *_times_and_product(_inferred),
        _inferred.maybe("idea", _IDEA_REFERENCE, "The idea it is attached to, once it is."),
    )


def _backlog_item(_: AssumptionSet) -> Object:
    """Contract b.4."""
    return _object(
        _inferred.always("_id", _OBJECT_ID, "The backlog item's id."),
        _inferred.always("owner", _USER_REFERENCE, "The team member who owns it."),
        _inferred.maybe("assigned", _USER_REFERENCE, "The team member who works on it."),
        _inferred.always("title", _TITLE, "Its title."),
        _inferred.maybe("description", _TEXT, "What is to be done, as plain text."),
        _inferred.maybe("descriptionHTML", _HTML, "What is to be done, as HTML."),
        _inferred.always("tags", _INFERRED_TAGS, "Its tags."),
        _inferred.always("status", _TEXT, "One of the product's statuses."),
        *_times_and_product(_inferred),
        _inferred.maybe("idea", _IDEA_REFERENCE, "The idea it was promoted from, if any."),
    )


def _okr(_: AssumptionSet) -> Object:
    """Contract b.5."""
    return _object(
        _inferred.always("_id", _OBJECT_ID, "The OKR's id."),
        _inferred.always("owner", _USER_REFERENCE, "The team member who owns it."),
        _inferred.always("title", _TITLE, "The objective."),
        _inferred.maybe("description", _TEXT, "More of it, as plain text."),
        _inferred.maybe("startDate", _INSTANT, "When work on it begins."),
        _inferred.maybe("endDate", _INSTANT, "When it is to be reached."),
        _inferred.always("progress", _PERCENT, "The mean of the key results' progress."),
        _inferred.always("keyResults", _KEY_RESULTS, "What it is measured by."),
        *_times_and_product(_inferred),
    )


_KEY_RESULTS = _list(
    "KeyResult",
    _inferred.always("_id", _TEXT, "The key result's id."),
    _inferred.always("title", _TITLE, "What is measured."),
    _inferred.always("startValue", Number(), "The measure at the start."),
    _inferred.always("currentValue", Number(), "The measure now."),
    _inferred.always("targetValue", Number(), "The measure to be reached."),
    _inferred.maybe("unit", _TEXT, "What it is measured in."),
    _inferred.always("progress", _PERCENT, "How much of the way is done."),
)


def _announcement(_: AssumptionSet) -> Object:
    """Contract b.6."""
    return _object(
        _inferred.always("_id", _OBJECT_ID, "The announcement's id."),
        _inferred.always("owner", _USER_REFERENCE, "The team member who wrote it."),
        _inferred.always("title", _TITLE, "Its title."),
        _inferred.maybe("description", _TEXT, "What is announced, as plain text."),
        _inferred.maybe("descriptionHTML", _HTML, "What is announced, as HTML."),
        _inferred.always(
            "categories",
            _list("Category", _inferred.always("title", _TEXT, "The category.")),
            "What kind of news it is.",
        ),
        _inferred.always("status", Text(choices=("draft", "published")), "Its state."),
        _inferred.maybe("publishedAt", _INSTANT, "When it was published, while it is."),
        *_times_and_product(_inferred),
    )


_RESOURCES: Mapping[str, Callable[[AssumptionSet], Object]] = {
    "ideaRequest": _idea_request,
    "idea": _idea,
    "customer": _customer,
    "backlogItem": _backlog_item,
    "okr": _okr,
    "announcement": _announcement,
}

#: The kinds of documents, by the first half of the events' names.
RESOURCES: tuple[str, ...] = tuple(_RESOURCES)


@lru_cache(maxsize=128)
def document_shape(resource: str, assumptions: AssumptionSet = ARTICLE) -> Object:
    """Return the shape of a resource's document (contract b.1 to b.6).

    Args:
        resource: one of ``RESOURCES``.
        assumptions: they shape the document (contract d-11, d-12).
    """
    return _RESOURCES[resource](assumptions)


@lru_cache(maxsize=512)
def payload_shape(event: str, assumptions: AssumptionSet = ARTICLE) -> Object:
    """Return the shape of an event's payload (contract b.7).

    Args:
        event: one of the 22 names.
        assumptions: they shape the payload (contract d-11, d-12, d-15, d-16, d-26).

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    kind = event_kind(event)
    document = document_shape(kind.resource, assumptions)
    if kind.action == "deleted" and assumptions.deleted_payload is DeletedPayload.ID:
        return _object(document.fields[0])
    own = tuple(_narrowed(field, event) for field in document.fields)
    return _object(*own, *_added(event, assumptions))


_STATUS_OF_REQUEST = {
    "ideaRequest.created": "new",
    "ideaRequest.attachedToIdea": "attached",
    "ideaRequest.ignored": "ignored",
}


def _narrowed(field: Field, event: str) -> Field:
    """Return the field with the value that the event implies: a promoted idea *is* promoted."""
    if field.name == "status" and event in _STATUS_OF_REQUEST:
        return replace(field, shape=Text(choices=(_STATUS_OF_REQUEST[event],)))
    match event, field.name:
        case "ideaRequest.attachedToIdea", "idea":
            return replace(field, required=True)
        case "idea.promoted", "promoted":
            return replace(field, shape=Boolean(always=True))
        case _:
            return field


def _added(event: str, assumptions: AssumptionSet) -> tuple[Field, ...]:
    """Return the fields that the event adds to the document."""
    action = event_kind(event).action
    if action in {"upVoted", "downVoted"} and assumptions.vote_payload is not VotePayload.IDEA:
        return (_inferred.maybe("customer", _CUSTOMER_REFERENCE, "Whose vote it is, if known."),)
    if action == "statusChanged":
        return (_inferred.always("previousStatus", _TEXT, "The status before this change."),)
    if action == "updated" and assumptions.include_changes:
        return (_inferred.always("changes", _CHANGES, "What this update changed."),)
    return ()


_CHANGES = _list(
    "Change",
    _inferred.always("field", _TEXT, "The field's name."),
    _inferred.always("oldValue", Anything(), "Its value before; null where it had none."),
    _inferred.always("newValue", Anything(), "Its value now; null where it has none."),
)


def payload(
    event: str, values: Mapping[str, JSON], *, assumptions: AssumptionSet = ARTICLE
) -> dict[str, JSON]:
    """Return an event's payload from its values: the contract's keys in the contract's order.

    It leaves out values that the payload does not have under these assumptions. Optional values
    that are absent or None are left out or null (contract d-15, d-16, d-18, d-26). The caller gives
    an idea's requests under the key of d-11.
    """
    return arrange(values, payload_shape(event, assumptions), unset=assumptions.unset)


def document(
    resource: str, values: Mapping[str, JSON], *, assumptions: AssumptionSet = ARTICLE
) -> dict[str, JSON]:
    """Return a resource's document from its values, as ``payload`` does for an event."""
    return arrange(values, document_shape(resource, assumptions), unset=assumptions.unset)


def envelope_shape(event: str, assumptions: AssumptionSet = ARTICLE) -> Object:
    """Return the shape of the whole body of an event's request (contract a.1, d-1, d-4)."""
    local = assumptions.triggered_at is TriggeredAt.LA_OFFSET
    signature = _stated.always(
        "signature", _HEX_SHA256, "The signature of JSON.stringify(payload), in hex."
    )
    return _object(
        _stated.always("payload", payload_shape(event, assumptions), "The data of the event."),
        _stated.always("event", Text(choices=(event,)), "The event's name."),
        _stated.always(
            "triggeredAt", _LOCAL_INSTANT if local else _INSTANT, "When the request was built."
        ),
        *(() if assumptions.signature_location is SignatureLocation.HEADER else (signature,)),
    )

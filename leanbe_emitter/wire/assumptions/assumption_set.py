"""``AssumptionSet``: one value for each assumption; by default, the article's (contract d).

This module alone has the names, types and defaults. The questions and their evidence are in
``catalogue``.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property


class SignatureLocation(StrEnum):
    """The place of the signature (contract d-1)."""

    BODY = "body"
    HEADER = "header"
    BOTH = "both"


class SignatureScheme(StrEnum):
    """The formula that makes a signature from text and secret (contract d-2)."""

    HMAC = "hmac"
    SHA256_PAYLOAD_SECRET = "sha256-payload-secret"  # noqa: S105 - the name of a scheme
    SHA256_SECRET_PAYLOAD = "sha256-secret-payload"  # noqa: S105 - the name of a scheme


class SignedContent(StrEnum):
    """The text that is signed (contract d-3)."""

    PAYLOAD = "payload"
    ENVELOPE_WITHOUT_SIGNATURE = "envelope-without-signature"


class TriggeredAt(StrEnum):
    """The format of ``triggeredAt`` (contract d-4)."""

    UTC = "utc"
    LA_WALLCLOCK_WITH_Z = "la-wallclock-with-Z"
    LA_OFFSET = "la-offset"


class Method(StrEnum):
    """The HTTP method of the request (contract d-6)."""

    POST = "POST"
    PUT = "PUT"


class Success(StrEnum):
    """The answers that accept a delivery (contract d-7)."""

    ANY_2XX = "2xx"
    ONLY_200 = "200-only"


class Ordering(StrEnum):
    """The order of a product's deliveries (contract c.5, d-7)."""

    START = "start"
    STRICT = "strict"


class IdeaRequestRefKey(StrEnum):
    """The key of the id of a request that is attached to an idea (contract d-11)."""

    ID = "id"
    UNDERSCORE_ID = "_id"


class VoteModel(StrEnum):
    """The meaning of a downvote (contract d-12)."""

    #: A vote of its own; ``upvotes`` counts the upvotes alone.
    SEPARATE = "separate"
    #: An upvote that is taken back; there is no other downvote.
    TOGGLE = "toggle"
    #: A vote of its own; ``upvotes`` is the upvotes less the downvotes.
    NET = "net"


class Cascade(StrEnum):
    """The general event after a specific event of a document (contract d-13, d-14)."""

    NONE = "none"
    UPDATED = "updated"


class DeletedPayload(StrEnum):
    """The payload of a ``.deleted`` event (contract d-15)."""

    FULL = "full"
    ID = "id"


class VotePayload(StrEnum):
    """The payload of a vote (contract d-16)."""

    IDEA_AND_CUSTOMER = "idea-and-customer"
    IDEA = "idea"


class CustomerFanout(StrEnum):
    """The products that get a customer's events (contract d-17)."""

    ALL = "all"
    ORIGIN = "origin"


class Unset(StrEnum):
    """How payloads write an optional field without a value (contract d-18)."""

    OMIT = "omit"
    NULL = "null"


@dataclass(frozen=True, kw_only=True)
class AssumptionSet:
    """The value of each assumption, for a product or for one request (contract d).

    Durations are in seconds. The defaults together are ``ARTICLE``.
    """

    signature_location: SignatureLocation = SignatureLocation.BODY
    signature_header: str = "X-Leanbe-Signature"
    signature_scheme: SignatureScheme = SignatureScheme.HMAC
    signed_content: SignedContent = SignedContent.PAYLOAD
    triggered_at: TriggeredAt = TriggeredAt.UTC
    restamp_on_retry: bool = False
    method: Method = Method.POST
    content_type: str = "application/json"
    max_attempts: int = 5
    backoff: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0)
    timeout: float = 10.0
    success: Success = Success.ANY_2XX
    follow_redirects: bool = False
    ordering: Ordering = Ordering.START
    events: tuple[str, ...] = ("*",)
    regenerate_secret_on_url_change: bool = False
    idea_request_ref_key: IdeaRequestRefKey = IdeaRequestRefKey.ID
    vote_model: VoteModel = VoteModel.SEPARATE
    cascade: Cascade = Cascade.NONE
    deleted_payload: DeletedPayload = DeletedPayload.FULL
    vote_payload: VotePayload = VotePayload.IDEA_AND_CUSTOMER
    customer_fanout: CustomerFanout = CustomerFanout.ALL
    unset: Unset = Unset.OMIT
    promote_creates_backlog_item: bool = True
    vote_touches_updated_at: bool = True
    pretty_body: bool = False
    include_changes: bool = False
    require_https: bool = False
    require_confirmed: bool = False
    resign_queued: bool = False
    stop_on_gone: bool = False

    # Caches look a set up for every document, so its hash is computed once.
    @cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, each.name) for each in fields(self)))

    def __hash__(self) -> int:
        return self._hash


ARTICLE = AssumptionSet()

"""How the article is read: every assumption about Leanbe, its evidence and its switch.

The article leaves much open (contract d). A ``Reading`` holds one value for each switch; its
defaults are the article's own reading. A product stores only the switches that somebody set.
"""

from dataclasses import dataclass
from enum import StrEnum


class SignatureLocation(StrEnum):
    """Where the signature stands (contract d-1)."""

    BODY = "body"
    HEADER = "header"
    BOTH = "both"


class SignatureScheme(StrEnum):
    """How text and secret become hex (contract d-2)."""

    HMAC = "hmac"
    SHA256_PAYLOAD_SECRET = "sha256-payload-secret"  # noqa: S105 - the name of a scheme
    SHA256_SECRET_PAYLOAD = "sha256-secret-payload"  # noqa: S105 - the name of a scheme


class SignedContent(StrEnum):
    """Which text is signed (contract d-3)."""

    PAYLOAD = "payload"
    ENVELOPE_WITHOUT_SIGNATURE = "envelope-without-signature"


class TriggeredAt(StrEnum):
    """How the instant is printed (contract d-4)."""

    UTC = "utc"
    LA_WALLCLOCK_WITH_Z = "la-wallclock-with-Z"
    LA_OFFSET = "la-offset"


class Success(StrEnum):
    """Which answers accept a delivery (contract d-7)."""

    ANY_2XX = "2xx"
    ONLY_200 = "200-only"


class Ordering(StrEnum):
    """What order a product's deliveries keep (contract c.5, d-7)."""

    START = "start"
    STRICT = "strict"


class VoteModel(StrEnum):
    """What a downvote is (contract d-12)."""

    SEPARATE = "separate"
    TOGGLE = "toggle"
    NET = "net"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One product's reading of the article: the value of every switch (contract d).

    Durations are in seconds. The defaults, taken together, are called ``article``.
    """

    signature_location: SignatureLocation = SignatureLocation.BODY
    signature_header: str = "X-Leanbe-Signature"
    signature_scheme: SignatureScheme = SignatureScheme.HMAC
    signed_content: SignedContent = SignedContent.PAYLOAD
    triggered_at: TriggeredAt = TriggeredAt.UTC
    restamp_on_retry: bool = False
    method: str = "POST"
    content_type: str = "application/json"
    max_attempts: int = 5
    backoff: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0)
    timeout: float = 10.0
    success: Success = Success.ANY_2XX
    follow_redirects: bool = False
    ordering: Ordering = Ordering.START
    events: tuple[str, ...] = ("*",)
    regenerate_secret_on_url_change: bool = False
    idea_request_ref_key: str = "id"
    vote_model: VoteModel = VoteModel.SEPARATE
    cascade: str = "none"
    deleted_payload: str = "full"
    vote_payload: str = "idea-and-customer"
    customer_fanout: str = "all"
    unset: str = "omit"
    promote_creates_backlog_item: bool = True
    vote_touches_updated_at: bool = True
    pretty_body: bool = False
    include_changes: bool = False
    require_https: bool = False
    require_confirmed: bool = False
    resign_queued: bool = False
    stop_on_gone: bool = False


ARTICLE = Reading()

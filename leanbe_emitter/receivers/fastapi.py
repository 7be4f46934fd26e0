"""Verified webhooks in FastAPI, as a dependency, and in Starlette."""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from leanbe_emitter.receivers.verifier import Refusal, Secret, Verifier
from leanbe_emitter.wire.envelope import Envelope


def verified(secret: Secret) -> Callable[[Request], Awaitable[Envelope]]:
    """Return a function that returns the verified envelope of a request.

    In FastAPI: ``async def receive(envelope: Annotated[Envelope, Depends(verified(secret))])``.
    In Starlette, with ``leanbe = verified(secret)``: ``envelope = await leanbe(request)``.

    If the body does not verify, the endpoint is not called. The answer is then 400 (not an
    envelope) or 401 (wrong signature), with the reason.

    Args:
        secret: the secret, or a function that returns it and is called at each request.

    Raises:
        InvalidValue: the secret is empty.
    """
    verifier = Verifier(secret)

    async def envelope_of(request: Request) -> Envelope:
        found = verifier.check(await request.body())
        if isinstance(found, Refusal):
            raise HTTPException(found.status, found.detail)
        return found

    return envelope_of

"""Whether an event loop runs where the present code does."""

import asyncio


def is_running_loop() -> bool:
    """Say whether this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

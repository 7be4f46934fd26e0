"""Texts of server-sent events."""


def message(name: str, data: str, *, cursor: str | None) -> str:
    """Return a message.

    Args:
        name: the event's name.
        data: JSON in ASCII, so that no character of a payload ends a line.
        cursor: the message's id, from which a client continues; None for a message without one.
    """
    lines = [f"event: {name}", f"data: {data}"]
    if cursor is not None:
        lines.insert(0, f"id: {cursor}")
    return "\n".join(lines) + "\n\n"

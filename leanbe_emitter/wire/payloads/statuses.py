"""The statuses of backlog items (contract b.4)."""

#: Those of a product that has none of its own, in order.
DEFAULT_STATUSES = ("To Do", "In Progress", "In Review", "Done")

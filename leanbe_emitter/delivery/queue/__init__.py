"""The queue: claim what is due, settle what ended."""

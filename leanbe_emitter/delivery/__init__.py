"""Delivery of events: claim, send, classify, settle, and retry.

Way in: ``worker.worker.Worker`` in a loop; ``worker.foreground.Foreground`` for a waiting caller.
``watching`` has what users see of an attempt.
"""

"""A single attempt: build the request, send it, classify the outcome, schedule the retry.

Way in: ``sender.Sender``.
"""

"""Deliveries and events: snapshots, lists, waiting, attempts of a handle, redelivery, the journal.

Start with ``deliveries.Deliveries``, which is ``leanbe.deliveries``.
"""

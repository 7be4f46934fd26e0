"""Queue of deliveries in the database: claim, renew, release and settle them.

Way in: ``queue.Queue``.
"""

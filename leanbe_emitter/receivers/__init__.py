"""Verification of webhooks in web frameworks, for receivers written in Python.

``receivers.fastapi`` (also for Starlette), ``receivers.flask`` and ``receivers.django`` each have
the function ``verified(secret)``. It gives the view a verified ``Envelope``, and refuses other
requests. Each module imports its own framework, this package imports none, and none of them imports
the sending side.
"""

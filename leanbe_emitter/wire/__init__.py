"""Everything about requests as bytes: payloads, envelopes, signatures, faults and explanations.

Its functions are pure and need the standard library only. A receiver's ``from leanbe_emitter import
verify`` loads this folder and nothing heavier. The ways in are ``envelope.seal`` and
``envelope.verify``.
"""

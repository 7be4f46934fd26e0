"""``Leanbe``, the handle that users open, with its clock, assertions and information.

Start with ``leanbe.Leanbe``: it puts all parts of the library together.
"""

"""What goes over the wire: pure, and of the standard library only.

``from leanbe_emitter import verify`` in a receiver loads this folder and nothing heavier.
"""

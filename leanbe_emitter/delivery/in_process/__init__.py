"""Receivers in this process: apps, test clients and functions that are called without a port.

``registry.ReceiverRegistry`` gives each receiver an address. ``detect.transport_for`` tells the
kinds of receivers apart and returns the transport for one.
"""

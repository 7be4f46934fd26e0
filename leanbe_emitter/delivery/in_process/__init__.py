"""Receivers in this process: apps and functions, called by their own protocol, without a port."""

"""HTTP over the network: one request out, one answer in.

Way in: ``transport`` declares the interface, ``http1.Http1Transport`` implements it.
"""

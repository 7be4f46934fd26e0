"""HTTP for every operation: routing, reading of requests, responses, errors, access, commits.

``routing.Routes`` adds an operation; ``query_parameters`` and ``request_body`` read what it
takes; ``responses`` and ``problems`` are its answers.
"""

"""Assumptions: answers to the questions that Leanbe's article leaves open.

``catalogue`` lists the questions, ``AssumptionSet`` holds one value for each, and ``parsing`` makes
such a set from the texts that users set.
"""

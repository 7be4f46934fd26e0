"""Actions of Leanbe's users on products, webhooks, users and documents: one file for each resource.

The functions of a resource's file are the way in. Each loads rows, checks them, changes them and
records its events, in a transaction of the caller.
"""

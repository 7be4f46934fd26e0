"""What Leanbe's users do: one file a resource; load, check, change, record, in one transaction."""

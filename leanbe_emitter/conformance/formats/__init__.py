"""Reports for programs: pure functions from a report to text, without any secret."""

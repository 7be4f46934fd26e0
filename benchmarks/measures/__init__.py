"""The measures, a file each: what it is called is what ``--only`` takes."""

"""Sample payloads of all 22 events. The way in is ``sample_payloads.SamplePayloads``."""

"""One attempt: send, classify, decide when the next one is due."""

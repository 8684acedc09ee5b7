"""The score log: the row, its key, the log, receipts."""

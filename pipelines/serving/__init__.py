"""The verb serve: one decision over HTTP, by the champion, into the score log."""

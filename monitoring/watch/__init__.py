"""The verb watch."""

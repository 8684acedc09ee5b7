"""Profiles of tables that were scored elsewhere: bins are frozen and rows counted in streamed passes."""

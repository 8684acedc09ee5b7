"""Profiles of tables: frozen bins and the counts in them, made in streamed passes."""

"""Scoring many applications: from tables to the score log."""

"""Runs and decisions rebuilt from their record."""

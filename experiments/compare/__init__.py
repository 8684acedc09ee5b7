"""Registered versions and studies side by side."""

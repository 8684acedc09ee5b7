"""Decisions over time: approvals, reasons, reviews, protected groups."""

"""Promotions: gates, ledger, approvals, signatures."""

"""Flat tables of applications: sources, roles, contract, splits, through-the-door population."""

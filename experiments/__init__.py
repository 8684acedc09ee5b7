"""Experiments and promotions: studies, leaderboard, evidence, gates, ledger, replay."""

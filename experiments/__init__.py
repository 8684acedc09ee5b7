"""Questions asked and answers recorded: studies, leaderboard, gates, promotion, ledger."""

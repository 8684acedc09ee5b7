"""The leaderboard of registered versions."""

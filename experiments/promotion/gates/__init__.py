"""The gates of a promotion: each module here declares one, and the registry finds it by scanning this package."""

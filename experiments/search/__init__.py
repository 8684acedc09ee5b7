"""Studies and their record: all use of Optuna."""

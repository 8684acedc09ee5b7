"""What every verb shares: outcome and exit code, the Hydra application, progress, provenance."""

"""Values that records, outputs and other users must not see."""

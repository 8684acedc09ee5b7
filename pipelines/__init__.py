"""What is done to data: tables, features, labels, splits, candidates, scores, offers."""

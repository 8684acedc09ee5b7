"""A package of another team: the candidate family naive_bayes."""

"""The search for less discriminatory alternatives."""

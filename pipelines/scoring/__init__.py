"""The scorer and the reasons of a decision."""

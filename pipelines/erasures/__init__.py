"""The record of erased people, consulted by every reader of people."""

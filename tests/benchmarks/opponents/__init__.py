"""Thinfile's search beside FLAML, AutoGluon and a blend of bags: the same rows, cores and time, in turn."""

"""Candidate families, one file each, their training and their calibration."""

"""Tests of experiments/compare/study_page."""

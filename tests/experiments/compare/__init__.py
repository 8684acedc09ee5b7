"""Tests of experiments/compare."""

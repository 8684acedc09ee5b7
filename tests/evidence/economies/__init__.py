"""Economies and outcomes drawn again on applications that were simulated and scored once."""

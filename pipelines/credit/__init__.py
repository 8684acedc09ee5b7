"""The credit domain in pure functions: numpy only, no I/O, no framework."""

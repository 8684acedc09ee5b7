"""The candidate families of Thinfile: one module each, declared as `FAMILY`; the registry reads this folder."""

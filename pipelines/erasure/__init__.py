"""Erasing a person: every row that lies in the workspace, while counts, profiles and chains stay and say so."""

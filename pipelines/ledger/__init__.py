"""The promotion ledger as every verb reads it: which version is champion, and what contradicts that.

`experiments.promotion` adds the decisions that are written to it.
"""

"""What a user can set about how a table that was scored elsewhere is counted."""

from enum import Enum


class ProfileEngine(Enum):
    """`threads` decodes with Arrow and counts with the kernel of the bins, which is the fastest on one machine.

    `spark` does the same on its executors; `duckdb` counts in SQL. The counts are the same.
    """

    threads = "threads"
    duckdb = "duckdb"
    spark = "spark"

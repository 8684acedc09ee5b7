"""Who is scored."""

from enum import Enum


class Population(Enum):
    """Who was scored: applicants, or every customer under a reference loan. The two are never compared."""

    applications = "applications"
    book = "book"

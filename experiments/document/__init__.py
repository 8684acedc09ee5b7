"""The model document: one self-contained page per registered version, in the order a validator works through it."""

from experiments.document.facts import DocumentFacts, FeatureFact, SearchFacts
from experiments.document.gathering import gather, write_document
from experiments.document.page import document

__all__ = ["DocumentFacts", "FeatureFact", "SearchFacts", "document", "gather", "write_document"]

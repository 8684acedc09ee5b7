"""The model document: one self-contained page per registered version, in the order a validator works through it."""

from experiments.document.facts import DocumentFacts, FeatureFact, SearchFacts
from experiments.document.gathering import gather, renew_document, write_document
from experiments.document.page import document
from experiments.document.proof import document_differences

__all__ = [
    "DocumentFacts",
    "FeatureFact",
    "SearchFacts",
    "document",
    "document_differences",
    "gather",
    "renew_document",
    "write_document",
]

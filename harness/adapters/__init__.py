"""Between this harness and others: our retrievers for mteb, and models of mteb and beir as our retrievers."""

from harness.adapters.beir import FromBeir
from harness.adapters.mteb import FromMteb, mteb_search

__all__ = ["FromBeir", "FromMteb", "mteb_search"]

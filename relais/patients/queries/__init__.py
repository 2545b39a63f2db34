"""What screens ask of patients: search as one types, and who a new patient might already be."""

from relais.patients.queries.duplicates import Likely, likely_duplicates
from relais.patients.queries.search import search

__all__ = ["Likely", "likely_duplicates", "search"]

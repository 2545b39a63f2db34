"""What screens ask of patients: search as one types, who a new patient might already be, who came in and how."""

from relais.patients.queries.duplicates import Likely, likely_duplicates
from relais.patients.queries.homonyms import homonyms
from relais.patients.queries.search import SHOWN, search

__all__ = ["SHOWN", "Likely", "homonyms", "likely_duplicates", "search"]

"""A questionnaire on a page: what was posted becomes answers, and a form with its answers becomes what templates draw."""

from relais.questionnaires.forms.fill import Fill
from relais.questionnaires.forms.nodes import Node

__all__ = ["Fill", "Node"]

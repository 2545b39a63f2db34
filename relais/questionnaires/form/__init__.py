"""A questionnaire as the site works with it: read once from its FHIR R4 source, then plain frozen data. No table here."""

from relais.questionnaires.form.parse import kept, read, read_once
from relais.questionnaires.form.shape import Condition, Form, Item, Option, Unit, Unreadable, Value

__all__ = ["Condition", "Form", "Item", "Option", "Unit", "Unreadable", "Value", "kept", "read", "read_once"]

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class QuestionnairesConfig(AppConfig):
    name = "relais.questionnaires"

    def ready(self) -> None:
        post_migrate.connect(load, sender=self)


def load(using: str, **kwargs: Any) -> None:
    """After each migrate the questionnaires of the installed modules are there, whoever migrates and however."""
    from relais.questionnaires import actions  # noqa: PLC0415 (models are not ready when this file is read)
    from relais.questionnaires.models import Questionnaire  # noqa: PLC0415

    if Questionnaire._meta.db_table in connections[using].introspection.table_names():
        actions.load_installed()

from typing import Any

from django.db import migrations, models

# The last time that its service came to take part before it signed.
ASKED = """
UPDATE expertise_opinion opinion SET asked_at = coalesce(
    (SELECT max(taking.created_at) FROM dossiers_participant taking
     WHERE taking.dossier_id = opinion.expertise_id AND taking.service_id = opinion.service_id
       AND taking.role = 'expert' AND taking.created_at <= opinion.signed_at),
    opinion.signed_at)
"""


def ask(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(ASKED)


class Migration(migrations.Migration):
    dependencies = [("expertise", "0002_opinion_passed_on")]

    operations = [
        migrations.AddField(model_name="opinion", name="asked_at", field=models.DateTimeField(null=True)),
        migrations.RunPython(ask, migrations.RunPython.noop),
        migrations.AlterField(model_name="opinion", name="asked_at", field=models.DateTimeField()),
        migrations.AddIndex(
            model_name="opinion",
            index=models.Index(fields=["service", "asked_at"], include=["signed_at"], name="opinion_of_service"),
        ),
    ]

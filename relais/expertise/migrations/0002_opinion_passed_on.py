from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def mark(apps: Any, schema_editor: Any) -> None:
    """Opinions after which another service was asked already."""
    opinions = apps.get_model("expertise", "Opinion").objects
    opinions.filter(~Q(service=F("expertise__service"))).update(passed_on=True)


class Migration(migrations.Migration):
    dependencies = [("expertise", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="opinion",
            name="passed_on",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="opinion",
            index=models.Index(condition=Q(("passed_on", True)), fields=["service"], name="opinion_passed_on"),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]

import django.db.models.deletion
from django.db import migrations, models

# Until now everybody took part from the dossier's own establishment.
FILL = """
UPDATE dossiers_participant SET establishment_id = d.establishment_id
FROM dossiers_dossier d WHERE d.id = dossier_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


def field(**options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.establishment", **options
    )


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial"), ("dossiers", "0001_initial")]

    operations = [
        migrations.AddField("participant", "establishment", field(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("participant", "establishment", field()),
    ]

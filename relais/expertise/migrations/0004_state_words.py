"""Words of states on screen; nothing changes in the database."""

from django.db import migrations, models

STATES = [
    ("brouillon", "Brouillon"),
    ("envoyee", "Envoyée"),
    ("prise-en-charge", "Prise en charge"),
    ("complement-demande", "Complément demandé"),
    ("complement-fourni", "Complément donné"),
    ("repondue", "Avis rendu"),
    ("cloturee", "Clôturée"),
    ("refusee", "Refusée"),
    ("annulee", "Annulée"),
    ("reorientee", "Réorientée"),
    ("convertie-visio", "En visio"),
    ("convertie-admission", "Admission proposée"),
]


class Migration(migrations.Migration):
    dependencies = [("expertise", "0003_opinion_asked_at")]

    operations = [
        migrations.AlterField(
            model_name="expertise",
            name="state",
            field=models.CharField(choices=STATES, default="brouillon", max_length=20),
        ),
    ]

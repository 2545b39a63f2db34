from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("liaison", "0006_note_sequel")]

    operations = [migrations.AddField(model_name="request", name="draft_page", field=models.UUIDField(null=True))]

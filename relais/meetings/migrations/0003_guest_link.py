from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_meetings")]

    operations = [
        migrations.AddField(
            model_name="guest",
            name="link_serial",
            field=models.PositiveIntegerField(default=0),
        ),
    ]

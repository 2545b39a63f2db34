from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_seat_unanswered")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="cleared_at",
            field=models.DateTimeField(null=True),
        ),
    ]

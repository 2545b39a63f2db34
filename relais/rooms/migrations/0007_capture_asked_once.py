"""A question still open is one row: of two that were asked in the same instant, the first stays."""

from django.db import migrations, models

KEEP_FIRST = """
DELETE FROM rooms_capture AS later USING rooms_capture AS first
WHERE later.answered_at IS NULL AND first.answered_at IS NULL
AND (later.asked_by_id, later.subject_id, later.kind) = (first.asked_by_id, first.subject_id, first.kind)
AND (later.created_at, later.id) > (first.created_at, first.id)
"""


class Migration(migrations.Migration):
    dependencies = [("rooms", "0006_room_cleared")]

    operations = [
        migrations.RunSQL(KEEP_FIRST, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="capture",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at", None)),
                fields=("asked_by", "subject", "kind"),
                name="capture_asked_once",
            ),
        ),
    ]

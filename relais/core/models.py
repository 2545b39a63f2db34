"""What every table shares. Core itself has none."""

import uuid

from django.db import models


class Base(models.Model):
    """A row with an unguessable id and the time it was made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

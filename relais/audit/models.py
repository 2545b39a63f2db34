"""Proof of who read and did what. Append-only: the database refuses to change or delete a row."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class Entry(models.Model):
    """One read or one act: who, in which establishment and role, when, on what, why (PGSSI-S traceability)."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor_kind = models.CharField(max_length=20)
    user_id = models.UUIDField(null=True)
    grant_id = models.UUIDField(null=True)
    establishment_id = models.UUIDField(null=True)
    roles = ArrayField(models.CharField(max_length=30), default=list)
    action = models.CharField(max_length=60)
    about = models.UUIDField(null=True)
    patient_id = models.UUIDField(null=True)
    ids = ArrayField(models.UUIDField(), default=list)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["about", "-at"], name="audit_about_at"),
            models.Index(fields=["patient_id", "-at"], name="audit_patient_at"),
            GinIndex(fields=["ids"], name="audit_ids"),  # « who has seen this »: in lists too
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

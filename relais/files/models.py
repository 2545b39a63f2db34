"""Files as they are kept: encrypted, addressed by id, served only through a door of the module that owns them."""

from django.db import models

from relais.core.models import Base
from relais.files.content import SHOWN


class StoredFile(Base):
    """One checked and encrypted file. Knows no owner: `dossiers.Document` links it."""

    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()  # bytes before encryption
    sha256 = models.CharField(max_length=64)  # of the bytes before encryption
    created_by = models.UUIDField(null=True)
    sealed_at = models.DateTimeField(null=True)  # withdrawn for good: no door opens it any more

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(size__gt=0), name="storedfile_not_empty")]

    @property
    def shown(self) -> str:
        """How a page shows it: picture, pdf, video, dicom; empty for what is only downloaded."""
        return SHOWN.get(self.content_type, "")

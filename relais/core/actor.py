"""Who acts now: ids only, so that pages, jobs and imports share one set of rules."""

from dataclasses import dataclass, field
from uuid import UUID

from relais.core.errors import NotFound

PROFESSIONAL, PATIENT, GUEST, SYSTEM = "professional", "patient", "guest", "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf something is read or written.

    A professional has a user, the establishment chosen for this session and the roles held there; a patient
    (or proxy, or guest of one room) has the grant that let them in and the `about` it opens. `assurance` counts
    the factors that were shown: 1 or 2.
    """

    kind: str
    user_id: UUID | None = None
    establishment_id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    assurance: int = 0
    grant_id: UUID | None = None
    patient_id: UUID | None = None
    about: UUID | None = None
    device_id: UUID | None = None

    @property
    def is_professional(self) -> bool:
        return self.kind == PROFESSIONAL

    @property
    def is_patient(self) -> bool:
        return self.kind == PATIENT

    @property
    def me(self) -> UUID:
        """The professional's own id. Raises NotFound for anyone else."""
        if self.user_id is None:
            raise NotFound
        return self.user_id

    @property
    def here(self) -> UUID:
        """The establishment chosen for this session. Raises NotFound before one is."""
        if self.establishment_id is None:
            raise NotFound
        return self.establishment_id

    @property
    def holder_id(self) -> UUID | None:
        """The id under which presence, signals and invitations know this actor."""
        return self.user_id or self.grant_id

    def has_role(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)


SYSTEM_ACTOR = Actor(kind=SYSTEM, assurance=2)

"""How a teleconsultation presents itself to `dossiers`."""

from relais.dossiers.registry import Kind
from relais.teleconsultation.permissions import can_read_clinical
from relais.teleconsultation.workflow import PHASES

KIND = Kind(
    key="teleconsultation",
    label="Téléconsultation",
    prefix="TC",
    may_read=can_read_clinical,
    url_name="teleconsultation:dossier",
    phases={str(state): phase for state, phase in PHASES.items()},
)

"""How a tele-expertise presents itself to `dossiers`."""

from relais.dossiers.registry import Kind
from relais.expertise.permissions import can_read_clinical
from relais.expertise.workflow import PHASES

KIND = Kind(
    key="expertise",
    label="Télé-expertise",
    prefix="TE",
    may_read=can_read_clinical,
    url_name="expertise:request",
    phases={str(state): phase for state, phase in PHASES.items()},
)

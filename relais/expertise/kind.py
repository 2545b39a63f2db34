"""How a tele-expertise presents itself to `dossiers`."""

from relais.dossiers.registry import Kind
from relais.expertise.permissions import can_read_clinical
from relais.expertise.workflow import PHASES

KIND = Kind(
    key="expertise",
    label="Télé-expertise",
    prefix="TE",
    step_types={
        "complement": "Demander ou donner un complément",
        "opinion": "Rendre un avis",
        "admission": "Proposer une admission",
        "admission_answer": "Répondre à une admission proposée",
        "addendum": "Ajouter un complément",
    },
    may_read=can_read_clinical,
    url_name="expertise:request",
    phases={str(state): phase for state, phase in PHASES.items()},
)

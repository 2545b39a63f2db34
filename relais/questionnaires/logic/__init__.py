"""Which questions are asked, and what is wrong with the answers. Pure; static/questionnaires/logic.js is its twin.

Answers are {linkId: [values]}, a repeating group {linkId: [{linkId: [values]}, …]}; what is unanswered is absent.
A *key* names one place on the page: the linkId, in a row `<group>/<row>/<linkId>` (rows from 0).
"""

from relais.questionnaires.logic.sentences import sentences
from relais.questionnaires.logic.walk import Answers, Checked, check, enabled, placed

__all__ = ["Answers", "Checked", "check", "enabled", "placed", "sentences"]

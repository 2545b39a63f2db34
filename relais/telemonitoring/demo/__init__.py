"""This module's part of the demo region: cells, and people followed at home, well, febrile or getting worse (domain.md §9.2).

Answers are drawn, alerts are not: the rules themselves judge every answer set, in one frame for many follow-ups.
"""

from relais.telemonitoring.demo.episodes import build

__all__ = ["build"]

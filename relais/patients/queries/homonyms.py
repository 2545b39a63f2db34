"""Who on a screen may be taken for another one there."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from relais.patients.models import Patient


def homonyms(patients: Iterable[Patient], *, given: bool = False) -> set[UUID]:
    """The ids of those who share their family name (`given`: and their first name) with another person of the list: they
    are marked. Somebody who stands there twice is no homonym of theirs."""
    alike: dict[Any, set[UUID]] = defaultdict(set)
    for one in patients:
        alike[one.family_name.lower(), one.given_name.lower() if given else ""].add(one.pk)
    return {pk for same in alike.values() if len(same) > 1 for pk in same}

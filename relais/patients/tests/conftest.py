"""Fixtures of the tests of patients."""

from relais.patients.tests.door import landing

__all__ = ["landing"]

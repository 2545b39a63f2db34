"""Screens of the portal, one file for each thing that people come for."""

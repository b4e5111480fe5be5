"""Scripted scenarios in which the process dies at every boundary, alone and in pairs.

``dying`` knows the boundaries, ``stage`` puts the estate and the state back to a beginning, ``scenarios`` are what
people do, ``truth`` is what must be the same in the end, ``play`` runs one death or two. Every pair of deaths:
``python -m tests.crashes --pairs``.
"""

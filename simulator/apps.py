"""The simulator's Django app: a thin shell around `simulator.core`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SimulatorConfig(AppConfig):
    """Journals, snapshots and results of learners' clusters."""

    name = "simulator"
    verbose_name = _("Simulator")
    default_auto_field = "django.db.models.BigAutoField"

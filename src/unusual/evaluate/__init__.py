"""How good is it, and can the experiment be believed: metrics, intervals, protocols."""

from unusual.evaluate.affiliation import affiliation_precision_recall, best_affiliation_f1
from unusual.evaluate.alarms import Delays, alarm_runs, alarms_per_day, detection_delay
from unusual.evaluate.budget import EventRecall, event_recall_at
from unusual.evaluate.chance import AgainstChance, with_chance
from unusual.evaluate.events import (
    best_event_f1,
    best_point_adjusted_f1,
    event_precision_recall,
    point_adjusted_precision_recall,
)
from unusual.evaluate.labelled_scores import run
from unusual.evaluate.metrics import (
    aupr,
    auroc,
    autc,
    average_precision,
    f1_max,
    f1_max_threshold,
    fpr_at_recall,
    max_significance_improvement,
    oscr,
    partial_auc,
    precision_at_n,
)
from unusual.evaluate.nab import NABScore, nab_score, nab_windows
from unusual.evaluate.ranges import best_range_f1, range_precision_recall
from unusual.evaluate.ranking import Ranking
from unusual.evaluate.runs import segments
from unusual.evaluate.series_figures import SeriesSummary, series_summary
from unusual.evaluate.volume import VUS, default_window, vus

__all__ = [
    "VUS",
    "AgainstChance",
    "Delays",
    "EventRecall",
    "NABScore",
    "Ranking",
    "SeriesSummary",
    "affiliation_precision_recall",
    "alarm_runs",
    "alarms_per_day",
    "aupr",
    "auroc",
    "autc",
    "average_precision",
    "best_affiliation_f1",
    "best_event_f1",
    "best_point_adjusted_f1",
    "best_range_f1",
    "default_window",
    "detection_delay",
    "event_precision_recall",
    "event_recall_at",
    "f1_max",
    "f1_max_threshold",
    "fpr_at_recall",
    "max_significance_improvement",
    "nab_score",
    "nab_windows",
    "oscr",
    "partial_auc",
    "point_adjusted_precision_recall",
    "precision_at_n",
    "range_precision_recall",
    "run",
    "segments",
    "series_summary",
    "vus",
    "with_chance",
]

"""How good is it, and can the experiment be believed: metrics, intervals, protocols."""

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
from unusual.evaluate.ranking import Ranking

__all__ = [
    "Ranking",
    "aupr",
    "auroc",
    "autc",
    "average_precision",
    "f1_max",
    "f1_max_threshold",
    "fpr_at_recall",
    "max_significance_improvement",
    "oscr",
    "partial_auc",
    "precision_at_n",
]

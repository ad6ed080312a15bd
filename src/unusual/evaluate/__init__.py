"""How good is it, and can the experiment be believed: metrics, intervals, protocols."""

from unusual.evaluate.affiliation import affiliation_precision_recall, best_affiliation_f1
from unusual.evaluate.alarms import Delays, alarm_runs, alarms_per_day, detection_delay
from unusual.evaluate.budget import EventRecall, event_recall_at
from unusual.evaluate.chance import AgainstChance, with_chance
from unusual.evaluate.comparison import Comparison, comparison_over_sets, paired_comparison
from unusual.evaluate.delong import delong_comparison, delong_interval
from unusual.evaluate.events import (
    best_event_f1,
    best_point_adjusted_f1,
    event_precision_recall,
    point_adjusted_precision_recall,
)
from unusual.evaluate.frames import FrameAUC, frame_auc
from unusual.evaluate.intervals import metric_interval, metric_intervals
from unusual.evaluate.labelled_scores import run
from unusual.evaluate.leaks import LeakingGroups, LeakingRows, leaking_groups, leaking_rows
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
from unusual.evaluate.optimism import ThresholdOptimism, threshold_optimism
from unusual.evaluate.per_image import PerImageOverlap, aupimo
from unusual.evaluate.pixels import (
    PixelCurve,
    au_pro,
    image_scores,
    pixel_auroc,
    pixel_average_precision,
    pixel_curve,
)
from unusual.evaluate.ranges import best_range_f1, range_precision_recall
from unusual.evaluate.ranking import Ranking
from unusual.evaluate.regions import OverlapBySize, per_region_overlap
from unusual.evaluate.runs import segments
from unusual.evaluate.scorecard import Scorecard, summary
from unusual.evaluate.series_figures import SeriesSummary, series_summary
from unusual.evaluate.volume import VUS, default_window, vus

__all__ = [
    "VUS",
    "AgainstChance",
    "Comparison",
    "Delays",
    "EventRecall",
    "FrameAUC",
    "LeakingGroups",
    "LeakingRows",
    "NABScore",
    "OverlapBySize",
    "PerImageOverlap",
    "PixelCurve",
    "Ranking",
    "Scorecard",
    "SeriesSummary",
    "ThresholdOptimism",
    "affiliation_precision_recall",
    "alarm_runs",
    "alarms_per_day",
    "au_pro",
    "aupimo",
    "aupr",
    "auroc",
    "autc",
    "average_precision",
    "best_affiliation_f1",
    "best_event_f1",
    "best_point_adjusted_f1",
    "best_range_f1",
    "comparison_over_sets",
    "default_window",
    "delong_comparison",
    "delong_interval",
    "detection_delay",
    "event_precision_recall",
    "event_recall_at",
    "f1_max",
    "f1_max_threshold",
    "fpr_at_recall",
    "frame_auc",
    "image_scores",
    "leaking_groups",
    "leaking_rows",
    "max_significance_improvement",
    "metric_interval",
    "metric_intervals",
    "nab_score",
    "nab_windows",
    "oscr",
    "paired_comparison",
    "partial_auc",
    "per_region_overlap",
    "pixel_auroc",
    "pixel_average_precision",
    "pixel_curve",
    "point_adjusted_precision_recall",
    "precision_at_n",
    "range_precision_recall",
    "run",
    "segments",
    "series_summary",
    "summary",
    "threshold_optimism",
    "vus",
    "with_chance",
]

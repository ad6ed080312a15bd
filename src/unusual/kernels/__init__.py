"""The few loops that need C, each with its NumPy twin."""

from unusual.kernels.balls import ball_radii, isolation_balls, isolation_balls_oob
from unusual.kernels.cut_forest import CutForest
from unusual.kernels.dispatch import at_level, available, level
from unusual.kernels.forest import average_path_length, forest_fit, forest_score, forest_score_oob
from unusual.kernels.half_space import half_space_mass
from unusual.kernels.histogram import histogram_fit, histogram_score
from unusual.kernels.nearest import nearest
from unusual.kernels.packed import PackedRows
from unusual.kernels.spread import column_spread
from unusual.kernels.tails import column_skewness, tails_counts, tails_fit, tails_score, tails_terms
from unusual.kernels.threads import blocks, one_thread_each, workers
from unusual.kernels.windows import nearest_windows

__all__ = [
    "CutForest",
    "PackedRows",
    "at_level",
    "available",
    "average_path_length",
    "ball_radii",
    "blocks",
    "column_skewness",
    "column_spread",
    "forest_fit",
    "forest_score",
    "forest_score_oob",
    "half_space_mass",
    "histogram_fit",
    "histogram_score",
    "isolation_balls",
    "isolation_balls_oob",
    "level",
    "nearest",
    "nearest_windows",
    "one_thread_each",
    "tails_counts",
    "tails_fit",
    "tails_score",
    "tails_terms",
    "workers",
]

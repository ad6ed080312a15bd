"""Do people look otherwise at altered images: gaze made up for 16 pairs of images and 10 observers."""

from __future__ import annotations

import unusual
from unusual.data.gaze_simulation import simulated_gaze
from unusual.study import Study


def study() -> Study:
    """The alteration draws three in ten fixations."""
    records = simulated_gaze(pairs=16, observers=10, weight=0.3)
    return unusual.make("FixationStudy", observer_draws=10, resamples=2000).run(records).study()

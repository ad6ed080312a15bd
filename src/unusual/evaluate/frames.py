"""AUROC of video frames: all frames pooled (micro), and clip by clip (macro)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import labels_and_scores
from unusual.evaluate.intervals import metric_interval
from unusual.evaluate.metrics import auroc
from unusual.evaluate.resamples import groups_of, rarest
from unusual.parts.bootstrap import Interval, bootstrap_interval
from unusual.study import Cell, Intervals, Study, Table

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class FrameAUC:
    """AUROC of frames in both readings, which may differ widely: name which one is quoted.

    Attributes
    ----------
    micro : float
        Of all frames together: scores of different clips are compared with each other.
    macro : float or None
        Mean over clips that hold both classes; None if there is none.
    micro_interval, macro_interval : Interval or None
        Clips resampled; None where too few hold a class.
    clips : (c,)
        Names of the clips with both classes.
    per_clip : (c,)
        Their AUROC.
    left_out : (l,)
        Names of the clips of one class.
    notes : tuple of str
    """

    micro: float
    macro: float | None
    micro_interval: Interval | None
    macro_interval: Interval | None
    clips: NDArray[Any]
    per_clip: Vector
    left_out: NDArray[Any]
    notes: tuple[str, ...]

    def study(self) -> Study:
        """Both readings, and the clips from worst to best."""
        answer = f"Over all frames together AUROC is {self.micro:.3f} (micro)"
        answer += "." if self.macro is None else f", within a clip it is {self.macro:.3f} on average (macro)."
        known = [("micro", self.micro, self.micro_interval), ("macro", self.macro, self.macro_interval)]
        rows = [(name, value, i.low, i.high) for name, value, i in known if i is not None and value is not None]
        chart = [Intervals("AUROC of frames, clips resampled", "AUROC", rows, 0.5)] if rows else []
        order = np.argsort(self.per_clip, kind="stable")
        clips: list[list[Cell]] = [[str(self.clips[i]), float(self.per_clip[i])] for i in order]
        return Study("How well are anomalous frames found?", answer,
                     [*chart, Table("Clip by clip", ["clip", "AUROC"], clips)], self.notes)  # fmt: skip


def frame_auc(labels: ArrayLike, scores: ArrayLike, clips: ArrayLike) -> FrameAUC:
    """Micro and macro AUROC of frames.

    Parameters
    ----------
    labels, scores : (n,)
        One per frame, all clips one after the other.
    clips : (n,)
        The clip of each frame.

    Raises
    ------
    InputError
        If frames cannot be ranked, or there is not one clip per frame.

    Notes
    -----
    No frames are added to clips of one class to make their AUROC defined, as some evaluations do: that rewards them.
    """
    y, s = labels_and_scores(labels, scores)
    of = groups_of(y, clips)
    if of is None:
        raise InputError("clips is None; give the clip of each frame")
    names, clip = np.unique(of, return_inverse=True)
    anomalous, frames = np.bincount(clip, y), np.bincount(clip)
    both = (anomalous > 0) & (anomalous < frames)
    areas = np.array([auroc(y[clip == c], s[clip == c]) for c in np.flatnonzero(both)])
    alone = names[~both]
    notes = []
    if len(alone):
        which = (
            f"{int((anomalous == 0).sum())} without an anomaly, {int((anomalous == frames).sum())} with nothing else"
        )
        notes.append(f"{len(alone)} of {len(names)} clips hold one class ({which}) and are left out of the macro mean.")
    if len(names) < 10:
        notes.append(f"There are only {len(names)} clips: intervals from so few are rough.")
    return FrameAUC(
        micro=auroc(y, s),
        macro=float(areas.mean()) if len(areas) else None,
        micro_interval=metric_interval(auroc, y, s, clip) if rarest(y, clip)[1] > 1 else None,
        macro_interval=bootstrap_interval(areas) if len(areas) > 1 else None,
        clips=names[both],
        per_clip=areas,
        left_out=alone,
        notes=tuple(notes),
    )

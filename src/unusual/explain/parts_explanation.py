"""Explanations that come from hiding parts, and the page on which one reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.explain.explanation import Explanation
from unusual.parts.surrogate import Surrogate
from unusual.study import Block, Heat, Intervals, Lines, Study, Table

Vector = NDArray[np.float64]

SHOWN = 15  # parts


@dataclass(frozen=True)
class PartsExplanation(Explanation):
    """Contributions to scores, with the linear models they come from.

    Attributes
    ----------
    values, names, stability : see `Explanation`; items lie along the first axis, (n, d), (n, T, C) or (n, H, W)
    fits : sequence of Surrogate
        One for each item: weights of its parts, weighted R2, effective sample size.
    modes : sequence of str
        How masks were drawn for each item.
    draws : sequence of (seeds, p) arrays
        The weights of each item under each seed.
    """

    fits: Sequence[Surrogate] = ()
    modes: Sequence[str] = ()
    draws: Sequence[Vector] = ()

    @property
    def messages(self) -> list[str]:
        """What to know about single items."""
        flat = [i for i, fit in enumerate(self.fits) if np.isnan(fit.r2)]
        return [f"item {i}: the score stays the same whatever is hidden, so no part contributes" for i in flat]

    def study(self) -> Study:
        """The explanation of the first item, and how far to believe each."""
        first, draws = self.values[0], self.draws[0]
        order = np.argsort(-draws[0], kind="stable")[:SHOWN]
        labels = [self.names[j] if len(self.names) else f"part {j}" for j in order]
        steady = "" if self.stability is None else f"; the rankings of other seeds correlate by {self.stability:.2f}"
        answer = f"`{labels[0]}` pushes the score of the first item most, by {draws[0, order[0]]:.3g}{steady}."
        adds = [
            (name, float(w[0]), float(w.min()), float(w.max())) for name, w in zip(labels, draws.T[order], strict=True)
        ]
        rows = [
            (i, mode, None if np.isnan(f.r2) else f.r2, f.effective)
            for i, (mode, f) in enumerate(zip(self.modes, self.fits, strict=True))
        ]
        caption = f"what each part adds to the score of the first item, and its range over {len(draws)} seeds"
        blocks: list[Block] = [Intervals(caption, "adds to the score", adds, level=0.0)]
        if not len(self.names) and first.ndim == 2:
            blocks.insert(0, Heat("what each cell's part adds to the score of the first item", first))
        elif not len(self.names):
            steps = {"contribution": (np.arange(len(first)), first)}
            blocks.insert(0, Lines("what each step's part adds to the score of the first item", "step", "adds", steps))
        head = ("item", "masks", "R2 of the linear model", "effective samples")
        note = "An explanation says what the detector reacts to, not what is wrong with the item."
        return Study("Why these?", answer, [*blocks, Table("how well it fits", head, rows)], [*self.messages, note])

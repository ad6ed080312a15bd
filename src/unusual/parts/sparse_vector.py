"""Private values that are told, with noise, only where they differ from public ones by more than a noisy threshold.

Sources: Dwork, Roth, The Algorithmic Foundations of Differential Privacy, 2014, chapter 3.6 (sparse vector); Dwork et
al., The Reusable Holdout: Preserving Validity in Adaptive Data Analysis, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np


@dataclass
class SparseVector:
    """Tells at most `left` private values; all noise is Laplace's, of scale `noise` and its multiples.

    The threshold carries noise of scale 2 `noise`, drawn anew after each value told, each comparison 4 `noise`, and a
    value told `noise`. What it holds is secret, and so is not shown.
    """

    threshold: float
    noise: float
    left: int
    _noisy_threshold: float = field(repr=False)
    _rng: np.random.Generator = field(repr=False)

    @classmethod
    def start(cls, threshold: float, noise: float, budget: int, random_state: int | None) -> Self:
        """With a budget of values to tell."""
        rng = np.random.default_rng(random_state)
        return cls(threshold, noise, budget, threshold + float(rng.laplace(scale=2 * noise)), rng)

    def hear(self, public: float, private: float, scale: float = 1.0) -> float | None:
        """The private value with noise, or None where it is near the public one; `scale` multiplies all scales."""
        if abs(private - public) <= scale * (self._noisy_threshold + self._rng.laplace(scale=4 * self.noise)):
            return None
        told = private + scale * float(self._rng.laplace(scale=self.noise))
        self.left -= 1
        self._noisy_threshold = self.threshold + float(self._rng.laplace(scale=2 * self.noise))
        return told

    def state(self) -> dict[str, Any]:
        """Plain numbers from which it goes on with the same noise."""
        return {
            "threshold": self.threshold,
            "noise": self.noise,
            "left": self.left,
            "noisy_threshold": self._noisy_threshold,
            "random": self._rng.bit_generator.state,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The inverse of `state`; raises KeyError, TypeError or ValueError for anything else."""
        rng = np.random.default_rng(0)
        rng.bit_generator.state = state["random"]
        numbers = float(state["threshold"]), float(state["noise"]), int(state["left"])
        return cls(*numbers, float(state["noisy_threshold"]), rng)

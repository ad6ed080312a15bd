"""SpectralResidual: what stands out of the smooth course of the spectrum.

role: detector
data: series
names: SpectralResidual
system: -
paper: Ren et al., Time-Series Anomaly Detection Service at Microsoft, 2019
needs: -
checkpoint: none

The logarithm of the amplitude spectrum less its moving mean, turned back into time with the old phase, is large where
something happens once. Here it is averaged over a window, while the paper compares each step with those just before,
which finds single steps only. A series is compared with its own spectrum; how salient a channel usually is comes from
the fit.
"""

from __future__ import annotations

import numpy as np

from unusual.detector import Vector
from unusual.parts.windows import smoothed
from unusual.series_detector import SeriesDetector, Steps

FREQUENCIES = 21  # over which the logarithm of the spectrum is averaged
QUIET = 1e-8  # amplitude below which a frequency holds rounding only, as a share of the largest


class SpectralResidual(SeriesDetector):
    """Windowed saliency of each step.

    Parameters
    ----------
    window : int or None
        Steps over which saliency is averaged; None takes the period of the series.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        salient = np.concatenate([_salient(part) for part in parts])
        self.usual_ = np.maximum(np.median(salient, axis=0), QUIET)  # (C,)

    def _steps(self, Z: Steps) -> Vector:
        return smoothed((_salient(Z) / self.usual_).mean(axis=1), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [self._steps(part) for part in parts]


def _salient(Z: Steps) -> Steps:
    return np.stack([_saliency(z) for z in Z.T], axis=1)


def _saliency(z: Vector) -> Vector:
    """Saliency (T,) of one channel (T,)."""
    if np.ptp(z) <= 0:
        return np.zeros(len(z))
    mirrored = np.concatenate([z, z[::-1]]) - z.mean()  # ends that do not meet would stand out
    spectrum = np.fft.rfft(mirrored)
    amplitude = np.abs(spectrum)
    log = np.log(np.maximum(amplitude, QUIET * amplitude.max()))
    residual = np.exp(log - smoothed(log, FREQUENCIES))
    phase = spectrum / np.maximum(amplitude, QUIET * amplitude.max())
    return np.abs(np.fft.irfft(residual * phase, len(mirrored)))[: len(z)]

"""How well a map says where people look, and a map that says it without having learnt.

Sources: Bylinskii et al., What Do Different Evaluation Metrics Tell Us About Saliency Models?, 2019; Judd et al., A
Benchmark of Computational Models of Saliency to Predict Human Fixations, 2012; Hou, Zhang, Saliency Detection: A
Spectral Residual Approach, 2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from unusual.errors import InputError

Map = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
SPECTRUM = 64  # pixels across, at which the spectrum of a picture is looked at
BLUR = 2.5  # of the saliency found there


def nss(saliency: ArrayLike, fixated: ArrayLike) -> float:
    """Normalised scan-path saliency: mean of the z-scored map (H, W) over fixations; 0 by chance.

    `fixated` (H, W) counts the fixations in each pixel.

    Raises
    ------
    InputError
        If shapes differ, the map is constant or not finite, or nothing is fixated.
    """
    s, count = _map_and_counts(saliency, fixated)
    return float((count * (s - s.mean())).sum() / (count.sum() * s.std()))


def auc_judd(saliency: ArrayLike, fixated: ArrayLike) -> float:
    """Area under the ROC curve of fixated pixels against all others, thresholds at the fixated ones; 0.5 by chance.

    Ties count as above the threshold on both sides. Straight lines join the points and, as the definition has it, the
    first of them to the origin, so that few fixations flatter a map: compare values of the same fixations only. Raises
    as `nss`.
    """
    s, count = _map_and_counts(saliency, fixated)
    at = count.ravel() > 0
    hits, others = np.sort(s.ravel()[at])[::-1], np.sort(s.ravel()[~at])
    if not len(others):
        raise InputError("every pixel is fixated; use a finer map")
    thresholds = np.unique(hits)[::-1]
    true = np.searchsorted(-hits, -thresholds, "right") / len(hits)
    false = (len(others) - np.searchsorted(others, thresholds, "left")) / len(others)
    return float(np.trapezoid(np.r_[0.0, true, 1.0], np.r_[0.0, false, 1.0]))


def correlation(saliency: ArrayLike, gaze: ArrayLike) -> float:
    """Pearson's correlation CC of two maps (H, W). Raises if one is constant."""
    a, b = (_varied(m, name) for m, name in ((saliency, "saliency"), (gaze, "gaze")))
    _same_shape(a, b)
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))


def similarity(saliency: ArrayLike, gaze: ArrayLike) -> float:
    """SIM: what two non-negative maps (H, W), each of sum 1, have in common: 0 to 1."""
    p, q = density(saliency), density(gaze)
    _same_shape(p, q)
    return float(np.minimum(p, q).sum())


def divergence(saliency: ArrayLike, gaze: ArrayLike) -> float:
    """Kullback-Leibler divergence of the gaze from the saliency map, in nats; 0 for equal maps, lower is better."""
    p, q = density(saliency), density(gaze)
    _same_shape(p, q)
    return float((q * np.log(EPSILON + q / (p + EPSILON))).sum())


def density(values: ArrayLike) -> Map:
    """A non-negative map (H, W) with sum 1; one with negative values is moved up first."""
    m = _finite(values, "map")
    m = m - min(float(m.min()), 0.0)
    total = float(m.sum())
    if total <= 0:
        raise InputError("the map is zero everywhere; it says nothing of where to look")
    return m / total


def attention_weighted(anomaly_map: ArrayLike, attention: ArrayLike) -> float:
    """Score of an image whose anomalies count by how much people, or a saliency map, look there.

    The mean of the anomaly map (H, W) under the density of the attention map (H, W): equal attention gives its mean.
    """
    a, w = _finite(anomaly_map, "anomaly map"), density(attention)
    _same_shape(a, w)
    return float((a * w).sum())


def spectral_residual(picture: ArrayLike) -> Map:
    """A saliency map (H, W), highest 1, of a grey picture (H, W): what is odd in its spectrum, at 64 pixels across."""
    from PIL import Image

    grey = _varied(picture, "picture")
    height, width = grey.shape
    size = (SPECTRUM, max(8, round(SPECTRUM * height / width)))
    small = np.asarray(Image.fromarray(grey.astype(np.float32)).resize(size, Image.Resampling.BOX), dtype=np.float64)
    spectrum = np.fft.fft2(small)
    amplitude = np.log(np.abs(spectrum) + EPSILON)
    residual = amplitude - uniform_filter(amplitude, 3, mode="wrap")  # a spectrum is periodic
    found = gaussian_filter(np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2, BLUR)
    large = Image.fromarray((found / found.max()).astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(large, dtype=np.float64)


def _map_and_counts(saliency: ArrayLike, fixated: ArrayLike) -> tuple[Map, Map]:
    s, count = _varied(saliency, "saliency"), _finite(fixated, "fixated")
    _same_shape(s, count)
    if count.min() < 0 or not count.any():
        raise InputError("fixated holds no fixation, or negative counts; give the number of fixations in each pixel")
    return s, count


def _varied(values: ArrayLike, name: str) -> Map:
    m = _finite(values, name)
    if m.std() <= 1e-12 * np.abs(m).max():
        raise InputError(f"the {name} map is constant; it prefers no place, so nothing can be compared")
    return m


def _finite(values: ArrayLike, name: str) -> Map:
    m = np.asarray(values, dtype=np.float64)
    if m.ndim != 2 or not m.size or not np.isfinite(m).all():
        raise InputError(f"the {name} map has shape {m.shape} or holds NaN; give finite numbers (height, width)")
    return m


def _same_shape(a: Map, b: Map) -> None:
    if a.shape != b.shape:
        raise InputError(f"the maps have shapes {a.shape} and {b.shape}; bring them to one size first")

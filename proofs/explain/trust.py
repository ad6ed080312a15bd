"""Does the audit of alarms tell a detector that reacts to a shortcut from one that reacts to the defect?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from proofs.harness import Proof
from unusual.catalogue import make
from unusual.explain.trust import TrustAudit
from unusual.explain.trust_report import TrustReport
from unusual.parts.masking import filled_game
from unusual.parts.segments import clusters
from unusual.parts.surrogate import kernel_shap

SYSTEM = "015"
DATA = "made images 32 x 32 with a lit frame and a defect, made tables of 9 columns; 400 normal items, 40 + 60 judged"
SIDE, FRAME, BLOCK, DEFECT = 32, 4, 4, 8  # pixels
NORMAL, ODD, EXPLAINED = 60, 40, 20
PARTS = 64
NOTE = (
    "the detectors of images are detectors of tables on means of 4 x 4 pixels; a convolutional one is audited with the "
    "detectors of images"
)
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass
class Blocks:
    """An image detector made of one of tables: rows are means of blocks of pixels; its own map can be a lie."""

    name: str
    rng: np.random.Generator

    def fit(self, images: Vector) -> Blocks:
        self.detector = make(self.name).fit(_blocks(images))
        self.threshold_ = self.detector.threshold_
        return self

    def anomaly_score(self, images: Vector) -> Vector:
        return np.asarray(self.detector.anomaly_score(_blocks(images)))

    def explain(self, images: Vector) -> Vector:
        """Noise in place of a map of contributions (n, H, W)."""
        coarse = self.rng.normal(size=(len(images), SIDE // BLOCK, SIDE // BLOCK))
        return coarse.repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:  # noqa: ARG001
    """Sabotage: contributions are noise."""
    lit, jittered = images(seed, "KNN", False), images(seed, "KNN", True)
    still, moving = images(seed, "PCA", False), images(seed, "PCA", True)
    narrow, wide = table(seed, False), table(seed, True)
    name = "own" if sabotage else "lime"

    def part(claim: str, metric: str, ours: float, level: float, better: str, note: str = NOTE) -> Proof:
        return Proof(claim, metric, ours, level, 0.0, note, better, "level")

    wrong = "share of detections for the wrong reason"
    return [
        part("image detector trained under one light: shortcut found", wrong, _wrong(lit, name), 0.9, "higher"),
        part("image detector trained under changing light", wrong, _wrong(jittered, name), 0.2, "lower"),
        part("reconstruction by PCA, one light: found", wrong, _wrong(still, name), 0.9, "higher"),
        part("reconstruction by PCA, changing light", wrong, _wrong(moving, name), 0.2, "lower"),
        part("the first still ranks the images", "AUROC", lit[1], 0.95, "higher"),
        part("the second still ranks the images", "AUROC", jittered[1], 0.95, "higher"),
        part("AutoTable, nuisance constant in training: found", wrong, _wrong(narrow, name), 0.9, "higher"),
        part("AutoTable, nuisance varied in training", wrong, _wrong(wide, name), 0.2, "lower"),
        part("the frame alone causes the rise of the score, one light", "share", _cue(lit), 0.5, "higher"),
        part("the frame alone causes the rise, changing light", "share", _cue(jittered), 0.1, "lower"),
        part("explanations pass the tests without truth", "share of alarms", _passed(jittered, name), 0.8, "higher"),
        part("noise passes them", "share of alarms", _passed(jittered, "own"), 0.2, "lower"),
        part("the score is one superpixel: it gets the largest weight", "share of images",
             _largest(seed, sabotage), 0.95, "higher"),
    ]  # fmt: skip


Audited = tuple[TrustReport, float]


@cache
def images(seed: int, name: str, jitter: bool) -> Audited:
    """Audit of a detector of images, trained under one light or a changing one; and its AUROC."""
    rng = np.random.default_rng([15, seed])
    light = rng.uniform(-0.5, 0.5, 400) if jitter else rng.normal(0.4, 0.01, 400)
    train = good(rng, light)
    X = np.concatenate([good(rng, rng.normal(0.4, 0.01, NORMAL)), good(rng, rng.uniform(-0.3, 0.1, ODD))])
    truth = np.zeros(X.shape, dtype=bool)
    for image, mask in zip(X[NORMAL:], truth[NORMAL:], strict=True):
        i, j = rng.integers(FRAME, SIDE - FRAME - DEFECT, 2)
        mask[i : i + DEFECT, j : j + DEFECT] = True
        image[mask] += 0.45 * rng.choice([-1, 1])
    detector = Blocks(name, rng).fit(train)
    audit = TrustAudit(("lime", "shap", "own"), kind="image", parts=PARTS, fill=train[:50], most=EXPLAINED)
    report = audit.run(detector, X, truth, cue="frame")
    return report, float(roc_auc_score(truth.any(axis=(1, 2)), report.scores))


def good(rng: np.random.Generator, light: Vector) -> Vector:
    """Smooth textures (n, 32, 32) inside a plain frame that is lit by `light` (n,)."""
    smooth = gaussian_filter(rng.normal(size=(len(light), SIDE, SIDE)), (0, 3, 3))
    frame = np.ones((SIDE, SIDE), dtype=bool)
    frame[FRAME:-FRAME, FRAME:-FRAME] = False
    inner = 0.5 + 0.1 * smooth / smooth.std()
    return np.where(frame, 0.5 + light[:, None, None], inner) + 0.02 * rng.normal(size=inner.shape)


def _blocks(images: Vector) -> Vector:
    n, k = len(images), SIDE // BLOCK
    return np.ascontiguousarray(images.reshape(n, k, BLOCK, k, BLOCK).mean(axis=(2, 4)).reshape(n, -1))


class Lying:
    """A detector of tables whose own contributions are noise."""

    def __init__(self, detector: object, rng: np.random.Generator) -> None:
        self.detector, self.rng = detector, rng
        self.anomaly_score, self.threshold_ = detector.anomaly_score, detector.threshold_
        self.background_ = detector.background_

    def explain(self, X: Vector) -> Vector:
        return self.rng.normal(size=X.shape)


@cache
def table(seed: int, varied: bool) -> Audited:
    """Audit of AutoTable: anomalies differ in one of eight columns and in a nuisance, varied in training or not."""
    rng = np.random.default_rng([16, seed])
    mix = rng.normal(size=(8, 8)) / 3 + np.eye(8)

    def rows(nuisance: Vector) -> Vector:
        return np.column_stack([rng.normal(size=(len(nuisance), 8)) @ mix, nuisance])

    train = rows(rng.uniform(-6, 6, 400) if varied else rng.normal(0, 0.05, 400))
    X = np.concatenate([rows(rng.normal(0, 0.05, NORMAL)), rows(rng.choice([-1, 1], ODD) * rng.uniform(2, 4, ODD))])
    truth = np.zeros(X.shape, dtype=bool)
    odd = rng.integers(0, 8, ODD)
    truth[np.arange(NORMAL, NORMAL + ODD), odd] = True
    X[truth] += 7 * rng.choice([-1, 1], ODD)
    detector = Lying(make("AutoTable").fit(train), rng)
    report = TrustAudit(("lime", "own"), most=EXPLAINED).run(detector, X, truth, cue=[8])
    return report, float(roc_auc_score(truth.any(axis=1), report.scores))


def _wrong(audited: Audited, name: str) -> float:
    return next(r.share for r in audited[0].wrong_reasons if r.explainer == name)


def _cue(audited: Audited) -> float:
    return float(np.median(audited[0].cue.share))


def _passed(audited: Audited, name: str) -> float:
    return audited[0].probes[name].passed


def _largest(seed: int, sabotage: bool, count: int = 20) -> float:
    """Share of images in which the superpixel whose mean is the score gets the largest weight."""
    rng = np.random.default_rng([17, seed])
    right = []
    for image in good(rng, rng.uniform(-0.5, 0.5, count)):
        index = clusters(image, PARTS)
        part = int(rng.integers(index.max() + 1))
        inside = index == part
        up = image + 0.3 * inside
        game = filled_game(lambda X, inside=inside: X[:, inside].mean(axis=1), up, image, index)
        weights = rng.normal(size=game.parts) if sabotage else kernel_shap(game, 500, rng).weights
        right.append(weights.argmax() == part)
    return float(np.mean(right))

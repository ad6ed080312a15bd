"""Do explanations change with settings that should not matter, while their mean accuracy hides it?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits

from proofs.harness import Proof
from unusual.catalogue import make
from unusual.explain.sensitivity import AttributionSensitivity
from unusual.explain.stability import Stability
from unusual.explain.stratified_lime import StratifiedLime
from unusual.parts.masking import filled_game
from unusual.parts.shapley import contributions

SYSTEM = "147"
DATA = "scikit-learn's digits (8 x 8 pixels, a 64-64-10 network of our own) and breast cancer (30 columns, KNN)"
ITEMS, FEW_ITEMS = 100, 20
HIDDEN, STEPS, BATCH, RATE = 64, 1500, 100, 3e-3
ATTACK, ATTACK_STEPS = 0.2, 7  # largest change of a pixel in [0, 1], projected gradient steps
NOISE = 0.1  # standard deviation, of the harmless noise on the input
MASKS = (100, 400, 1600)
COSTS = (124, 496, 1984)  # scored rows: 2, 8 and 32 pairs of walks over 30 columns
FINE, STRIDE = 64, 4  # pixels of an image as it is shown to patches, and how far apart these stand
SIDES = {"an image of 8 pixels": (3, 2, 4), "an image of 64 pixels": (15, 14, 16)}  # the first is the default
RATIO_NOTE = (
    "the mean score stands still where items change independently, as with seeds; larger patches shift the scores of "
    f"all items alike, and {ITEMS} items allow a ratio of about 10 at most"
)
ROBUST_NOTE = (
    "gradients of the attacked network are more alike by structure (SSIM), a little by correlation, not by rank: it is "
    "nearly flat in many pixels, whose order is then left to the noise"
)
Matrix = NDArray[np.float64]
Weights = tuple[Matrix, ...]


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:  # noqa: ARG001
    """Sabotage: every setting is the first one, and the robust network is trained like the other."""
    lime = [lime_seeds(seed, masks, sabotage).index for masks in MASKS]
    walks = [walk_seeds(seed, cost, sabotage).index for cost in COSTS]
    metric = "mean rank correlation"
    parts = []
    for name, few, levels in (("LIME", MASKS[0], lime), ("sampled Shapley values", COSTS[0], walks)):
        claim = f"{name} of five seeds differ with {few} samples"
        parts.append(Proof(claim, metric, levels[0], 0.9, 0.0, better="lower", against="stable"))
        gain = min(b - a for a, b in pairwise(levels))
        claim = f"{name}: seeds agree more with four times the samples, and again"
        parts.append(Proof(claim, "smaller gain of the two", gain, 0.0, 0.0, against="no gain"))
    ratio = lime_seeds(seed, MASKS[0], sabotage, ITEMS).spread("deletion, mean").ratio
    claim = f"LIME of five seeds, {MASKS[0]} samples: single deletion scores vary more than their mean"
    ratio = 0.0 if np.isnan(ratio) else ratio
    parts.append(Proof(claim, "ratio of spreads", ratio, 3.0, 0.0, RATIO_NOTE, against="wanted"))
    for name, sides in SIDES.items():
        patches = patch_sides(seed, sides, sabotage)
        claim = f"{name}: maps of patches of {sides[1]}, {sides[0]} and {sides[2]} differ"
        parts.append(Proof(claim, metric, patches.index, 0.9, 0.0, better="lower", against="stable"))
        for measure in patches.accuracy:
            spread = patches.spread(measure).ratio
            ratio = 0.0 if np.isnan(spread) else spread
            claim = f"{name}, {measure}: single scores vary with the patch more than their mean"
            parts.append(Proof(claim, "ratio of spreads", ratio, 3.0, 0.0, RATIO_NOTE, against="wanted"))
    normal, robust = (noisy_gradients(seed, attacked) for attacked in (False, not sabotage))
    for measure in ("structure (SSIM)", "correlation", "rank correlation"):
        levels = [of_pairs(found, measure) for found in (robust, normal)]
        claim = "gradients of a network trained against attacks change less with input noise"
        parts.append(Proof(claim, measure, *levels, 0.1, ROBUST_NOTE, against="trained as usual"))
    held = [under_attack(seed, attacked) for attacked in (not sabotage, False)]
    parts.append(Proof("for it withstands attacks", "accuracy under attack", *held, 0.3, against="trained as usual"))
    hit = [accuracy(seed, attacked) for attacked in (True, False)]
    parts.append(Proof("and it is nearly as accurate", "accuracy", *hit, -0.1, against="trained as usual"))
    same = walk_seeds(seed, COSTS[0], True).index
    parts.append(
        Proof("equal settings give equal explanations", metric, same, 1.0, 0.0, better="equal", against="exact")
    )
    return parts


# -- a network on digits -----------------------------------------------------------------------------------------------


@cache
def digits(seed: int) -> tuple[Matrix, NDArray[np.int64], Matrix, NDArray[np.int64]]:
    """Training and test images as rows (n, 64) of pixels in [0, 1], with their classes."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng([147, seed]).permutation(len(X))
    train, test = order[:1400], order[1400:]
    return X[train] / 16, y[train], X[test] / 16, y[test]


def forward(W: Weights, X: Matrix) -> tuple[Matrix, Matrix]:
    """Hidden units (n, 64) and logits (n, 10)."""
    hidden = np.maximum(X @ W[0] + W[1], 0)
    return hidden, hidden @ W[2] + W[3]


def probabilities(logits: Matrix) -> Matrix:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def input_gradient(W: Weights, X: Matrix, of_logits: Matrix) -> Matrix:
    """Gradient (n, 64) at the input of sum(of_logits * logits), of_logits (n, 10)."""
    hidden, _ = forward(W, X)
    return np.asarray(((of_logits @ W[2].T) * (hidden > 0)) @ W[0].T)


@cache
def network(seed: int, attacked: bool) -> Weights:
    """Weights trained by Adam on cross-entropy, on the images or on their worst neighbours by projected gradients."""
    X, y, _, _ = digits(seed)
    rng = np.random.default_rng([148, seed])
    shapes = ((64, HIDDEN), (HIDDEN,), (HIDDEN, 10), (10,))
    W = [rng.normal(size=s) * np.sqrt(2 / s[0]) if len(s) == 2 else np.zeros(s) for s in shapes]
    first, second = ([np.zeros(s) for s in shapes] for _ in range(2))
    target = np.eye(10)[y]
    for step in range(1, STEPS + 1):
        rows = rng.integers(len(X), size=BATCH)
        B, T = X[rows], target[rows]
        if attacked:
            B = worst(tuple(W), B, T, rng)
        hidden, logits = forward(tuple(W), B)
        error = (probabilities(logits) - T) / BATCH
        back = (error @ W[2].T) * (hidden > 0)
        for k, g in enumerate((B.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0))):
            first[k] += 0.1 * (g - first[k])
            second[k] += 0.001 * (g * g - second[k])
            W[k] -= RATE * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
    return tuple(W)


def worst(W: Weights, X: Matrix, target: Matrix, rng: np.random.Generator) -> Matrix:
    """Images within ATTACK of X, in every pixel, on which the loss is high."""
    A = np.clip(X + rng.uniform(-ATTACK, ATTACK, X.shape), 0, 1)
    for _ in range(ATTACK_STEPS):
        error = probabilities(forward(W, A)[1]) - target
        A = A + ATTACK / 4 * np.sign(input_gradient(W, A, error))
        A = np.clip(np.clip(A, X - ATTACK, X + ATTACK), 0, 1)
    return np.asarray(A)


def accuracy(seed: int, attacked: bool) -> float:
    _, _, X, y = digits(seed)
    return float((forward(network(seed, attacked), X)[1].argmax(axis=1) == y).mean())


def under_attack(seed: int, attacked: bool) -> float:
    """Accuracy on the worst neighbours of the test images."""
    _, _, X, y = digits(seed)
    W = network(seed, attacked)
    return float((forward(W, worst(W, X, np.eye(10)[y], np.random.default_rng(seed)))[1].argmax(axis=1) == y).mean())


def shown(seed: int, attacked: bool = False) -> tuple[Matrix, NDArray[np.int64]]:
    """Test images (100, 64) that the network gets right, with their classes."""
    _, _, X, y = digits(seed)
    right = forward(network(seed, attacked), X)[1].argmax(axis=1) == y
    return X[right][:ITEMS], y[right][:ITEMS]


# -- explanations under several settings -------------------------------------------------------------------------------


def lime_seeds(seed: int, masks: int, sabotage: bool, count: int = FEW_ITEMS) -> Stability:
    """Weights of pixels for the probability of the class, hidden pixels showing the mean image, by five seeds."""
    X, y = shown(seed)
    W, mean = network(seed, False), digits(seed)[0].mean(axis=0)
    lime = StratifiedLime(mode="classic", n_samples=masks, random_state=seed)

    def explain(draw: int, items: Matrix) -> Matrix:
        made = []
        for x, c in zip(items, y, strict=False):
            game = filled_game(lambda A, c=c: probabilities(forward(W, A)[1])[:, c], x, mean, np.arange(64))
            made.append(lime.fit_game(game, 0 if sabotage else draw)[0].weights)
        return np.stack(made)

    found = AttributionSensitivity({f"seed {s}": s for s in range(5)}).run(explain, X[:count])
    accuracy = {"deletion, mean": deletions(W, X[:count], y[:count], found.values.reshape(5, -1, 8, 8), mean)}
    return replace(found, accuracy=accuracy)


def walk_seeds(seed: int, cost: int, sabotage: bool) -> Stability:
    """Sampled Shapley values of malignant rows for a detector fitted to benign ones, by five seeds."""
    benign, malignant = tumours(seed)
    detector = make("KNN").fit(benign)

    def explain(draw: int, rows: Matrix) -> Matrix:
        return contributions(detector.anomaly_score, rows, benign[:64], cost, random_state=0 if sabotage else draw)

    return AttributionSensitivity({f"seed {s}": s for s in range(5)}).run(explain, malignant)


@cache
def tumours(seed: int) -> tuple[Matrix, Matrix]:
    X, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng([149, seed])
    return rng.permutation(X[y == 1]), rng.permutation(X[y == 0])[:FEW_ITEMS]


def patch_sides(seed: int, sides: tuple[int, ...], sabotage: bool) -> Stability:
    """Fall of the probability of the class when a patch is hidden, averaged over the patches that cover a pixel.

    An image of 64 pixels repeats each pixel 8 x 8 times; the network sees means, so a patch may hide part of a pixel.
    """
    X, y = shown(seed)
    W, mean = network(seed, False), digits(seed)[0].mean(axis=0)

    def explain(side: int, items: Matrix) -> Matrix:
        return occlusion_maps(W, items, y, mean, sides[0] if sabotage else side, 8 if max(sides) < 8 else FINE)

    found = AttributionSensitivity({f"side {s}": s for s in sides}).run(explain, X)
    pooled = found.values.reshape(len(sides), len(X), 8, found.values.shape[2] // 8, 8, -1).mean(axis=(3, 5))
    fills = {"zero": np.zeros(64), "mean": mean}
    accuracies = {f"deletion, {name}": deletions(W, X, y, pooled, fill) for name, fill in fills.items()}
    return replace(found, accuracy=accuracies)


def occlusion_maps(W: Weights, X: Matrix, y: NDArray[np.int64], mean: Matrix, side: int, size: int) -> Matrix:
    """Maps (n, size, size) of images (n, 64); patches at every place, or every fourth of a large image."""
    starts = range(0, size - side + 1, 1 if size == 8 else STRIDE)
    covers = np.zeros((len(starts) ** 2, size, size))
    for cover, (r, c) in zip(covers, product(starts, starts), strict=True):
        cover[r : r + side, c : c + side] = 1
    share = covers.reshape(-1, 8, size // 8, 8, size // 8).mean(axis=(2, 4)).reshape(-1, 64)  # (places, 64)
    hidden = X[:, None] + share * (mean - X[:, None])  # (n, places, 64)
    own = np.arange(len(X))
    before = probabilities(forward(W, X)[1])[own, y]
    after = probabilities(forward(W, hidden.reshape(-1, 64))[1]).reshape(len(X), len(covers), 10)[own, :, y]
    weights = covers / np.maximum(covers.sum(axis=0), 1)
    return np.asarray(np.tensordot(before[:, None] - after, weights, axes=1))


def deletions(W: Weights, X: Matrix, y: NDArray[np.int64], maps: Matrix, fill: Matrix) -> Matrix:
    """Area under the probability of its class (k, n) as the pixels of an image are hidden, highest of its map first."""
    flat = maps.reshape(*maps.shape[:2], 64)
    place = np.argsort(np.argsort(-flat, axis=2, kind="stable"), axis=2, kind="stable")
    steps = np.arange(0, 65, 2)
    hidden = place[:, :, None] < steps[:, None]  # (k, n, steps, 64)
    pictures = np.where(hidden, fill, X[:, None])
    p = probabilities(forward(W, pictures.reshape(-1, 64))[1]).reshape(*hidden.shape[:3], 10)
    curves = np.take_along_axis(p, y[None, :, None, None], axis=3)[..., 0]
    return np.asarray(np.trapezoid(curves, axis=2) / (len(steps) - 1))


def noisy_gradients(seed: int, attacked: bool) -> Stability:
    """Gradients of the probability of the class, at the image and at four copies of it with a little noise."""
    X, y = shown(seed, attacked)
    W, target = network(seed, attacked), np.eye(10)[y]

    def explain(draw: int, items: Matrix) -> Matrix:
        noise = NOISE * np.random.default_rng([150, draw]).normal(size=items.shape) if draw else 0.0
        p = probabilities(forward(W, items + noise)[1])
        slope = (p * target).sum(axis=1, keepdims=True) * (target - p)  # of p_y by the logits
        return input_gradient(W, items + noise, slope).reshape(-1, 8, 8)

    return AttributionSensitivity({f"noise {s}": s for s in range(5)}).run(explain, X)


def of_pairs(found: Stability, measure: str) -> float:
    """Mean similarity over pairs of settings and items."""
    i, j = np.triu_indices(len(found.settings), 1)
    return float(np.nanmean(found.similarity[measure][:, i, j]))

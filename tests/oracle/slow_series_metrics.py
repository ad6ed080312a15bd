"""Metrics of series in their obvious form: one loop for each sum of the definition."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import numpy as np


def runs(mask) -> list[tuple[int, int]]:
    """First and last row of each run of ones."""
    found, start = [], None
    for i, one in enumerate([*mask, 0]):
        if one and start is None:
            start = i
        elif not one and start is not None:
            found.append((start, i - 1))
            start = None
    return found


def slow_vus(labels, scores, window: int, thresholds: int | None = 250) -> tuple[float, float]:
    """VUS-ROC and VUS-PR: each window, each threshold, each segment in turn."""
    y, s = np.asarray(labels).astype(np.int64), np.asarray(scores, dtype=np.float64)
    n, parts = len(y), runs(y)
    falling = -np.sort(-s)
    cuts = np.unique(s)[::-1] if thresholds is None else falling[np.linspace(0, n - 1, thresholds).astype(int)]
    roc, pr = [], []
    for w in range(window + 1):
        half = w // 2
        soft = y.astype(np.float64)
        for first, last in parts:
            for row in range(last + 1, min(last + half + 1, n)):
                soft[row] += np.sqrt(1 - (row - last) / w)
            for row in range(max(first - half, 0), first):
                soft[row] += np.sqrt(1 - (first - row) / w)
        soft = np.minimum(soft, 1)
        wide: list[list[int]] = []
        for first, last in parts:
            if wide and wide[-1][1] >= first - half:
                wide[-1][1] = last + half
            else:
                wide.append([first - half, last + half])
        points, precision = [(0.0, 0.0)], []
        for cut in cuts:
            predicted = s >= cut
            touched = 0
            for first, last in wide:
                touched += predicted[max(first, 0) : last + 1].any()
            true = soft[predicted].sum()
            labelled = (y.sum() + y.sum() + soft[predicted & (y == 0)].sum()) / 2
            recall = min(true / labelled, 1) * touched / len(wide)
            points.append((recall, (predicted.sum() - true) / (n - labelled)))
            precision.append(true / predicted.sum())
        points.append((1.0, 1.0))
        roc.append(sum((b[1] - a[1]) * (a[0] + b[0]) / 2 for a, b in pairwise(points)))
        pr.append(sum((b[0] - a[0]) * p for a, b, p in zip(points, points[1:], precision, strict=False)))
    return float(np.mean(roc)), float(np.mean(pr))


def slow_ranges(labels, predictions, alpha: float, bias: str, cardinality: str) -> tuple[float, float]:
    """Range precision and recall, row by row."""

    def weight(i: int, length: int, kind: str) -> int:  # i from 1
        if kind == "front":
            return length - i + 1
        if kind == "back":
            return i
        return 1 if kind == "flat" else min(i, length - i + 1)

    def covered(one: tuple[int, int], others: list[tuple[int, int]], kind: str) -> tuple[float, int]:
        length, earned, total = one[1] - one[0] + 1, 0, 0
        for i in range(1, length + 1):
            row = one[0] + i - 1
            total += weight(i, length, kind)
            earned += weight(i, length, kind) * any(a <= row <= b for a, b in others)
        pieces = sum(a <= one[1] and b >= one[0] for a, b in others)
        return earned / total / (max(pieces, 1) if cardinality == "reciprocal" else 1), pieces

    real, found = runs(labels), runs(predictions)
    recall = 0.0
    for one in real:
        share, pieces = covered(one, found, bias)
        recall += alpha * (pieces > 0) + (1 - alpha) * share
    precision = [covered(one, real, "flat")[0] for one in found]
    return float(np.mean(precision)) if found else np.nan, recall / len(real)


def slow_affiliation(labels, predictions, fine: int = 400) -> tuple[float, float]:
    """Affiliation precision and recall: integrals as sums over `fine` points a row, distances to all of a zone's."""
    n, real = len(labels), [(a, b + 1) for a, b in runs(labels)]
    cuts = [0.0, *[(one[1] + other[0]) / 2 for one, other in pairwise(real)], float(n)]
    x = (np.arange(n * fine) + 0.5) / fine
    predicted, precision, recall = np.repeat(np.asarray(predictions, dtype=bool), fine), [], []
    for (a, b), low, high in zip(real, cuts, cuts[1:], strict=False):
        zone = (x > low) & (x < high)
        far = np.maximum(np.maximum(a - x[zone], x[zone] - b), 0)
        order = np.sort(far)
        at_least = 1 - np.searchsorted(order, far, side="left") / len(far)
        mine = predicted[zone]
        if not mine.any():
            recall.append(0.0)
            continue
        precision.append(at_least[mine].mean())
        places = x[zone & predicted]
        event = x[(x > a) & (x < b)]
        at = np.searchsorted(places, event)
        nearest = np.minimum(
            np.abs(event - places[np.minimum(at, len(places) - 1)]), np.abs(event - places[np.maximum(at - 1, 0)])
        )
        inside = predicted[(x > a) & (x < b)]
        nearest = np.where(inside, 0, np.maximum(nearest - 0.5 / fine, 0))
        nearer = np.minimum(nearest, event - low) + np.minimum(nearest, high - event)
        recall.append((1 - nearer / (high - low)).mean())
    return float(np.mean(precision)) if precision else np.nan, float(np.mean(recall))


def slow_point_adjusted(labels, predictions, first_row_counts: bool = True) -> float:
    """Point-adjusted F1; the published code never adjusts row 0."""
    adjusted = np.array(predictions, dtype=bool)
    for first, last in runs(labels):
        if adjusted[first : last + 1].any():
            adjusted[first if first_row_counts else max(first, 1) : last + 1] = True
    true = (adjusted & (np.asarray(labels) == 1)).sum()
    return 2 * true / (adjusted.sum() + np.asarray(labels).sum())


def slow_nab(labels, scores, weights: tuple[float, float, float], threshold: float) -> float:
    """Raw NAB score of one series: each row in turn."""
    hit, false, miss = weights
    windows, start = runs(labels), int(min(0.15 * len(labels), 750))
    total = sum(-miss for _, last in windows if last >= start)
    best = dict.fromkeys(windows, 0.0)
    for row in range(start, len(labels)):
        if scores[row] < threshold:
            continue
        inside = next(((a, b) for a, b in windows if a <= row <= b), None)
        if inside:
            place = -(inside[1] - row + 1) / (inside[1] - inside[0] + 1)
            worth = hit * (2 / (1 + np.exp(5 * place)) - 1) / (2 / (1 + np.exp(-5)) - 1)
            if best[inside] == 0:
                total += miss
            total += max(worth - best[inside], 0)
            best[inside] = max(best[inside], worth)
            continue
        before = [one for one in windows if one[1] < row]
        place = np.inf if not before else (row - before[-1][1]) / max(before[-1][1] - before[-1][0], 1)
        total += false * (-1 if place > 3 else 2 / (1 + np.exp(5 * place)) - 1)
    return total


def slow_event_recall(labels, scores, most: float, cool_down: int, early: int) -> tuple[float, float]:
    """Recall at the lowest threshold above which every threshold keeps to `most` alarms, and that threshold."""
    s, events = np.asarray(scores), runs(labels)
    best = s.max()
    for cut in np.unique(s)[::-1]:
        count, last = 0, -np.inf
        for row in np.flatnonzero(s > cut):
            count += row - last > cool_down + 1
            last = row
        if count > most:
            break
        best = cut
    found = 0
    for i, (first, last) in enumerate(events):
        opens = max(first - early, 0 if i == 0 else events[i - 1][1] + 1)
        found += (s[opens : last + 1] > best).any()
    return found / len(events), best


def main() -> None:
    """Print how many times as fast `vus` is as the loops, in processor time of one run: series of 1,000 to 100,000."""
    from unusual.evaluate import vus

    def seconds(metric, times: int):
        best = np.inf
        for _ in range(times):
            start = process_time()
            value = metric()
            best = min(best, process_time() - start)
        return best, value

    for n, events in ((1_000, 3), (10_000, 10), (100_000, 50)):
        rng = np.random.default_rng(0)
        y, s = np.zeros(n, dtype=np.int64), rng.normal(size=n)
        for start in np.linspace(n // 20, n - n // 20, events).astype(int):
            y[start : start + 60] = 1
        s += y
        loops, slow = seconds(lambda y=y, s=s: slow_vus(y, s, 100), 1)
        ours, fast = seconds(lambda y=y, s=s: vus(y, s, 100), 20)
        exact, _ = seconds(lambda y=y, s=s: vus(y, s, 100, thresholds=None), 5)
        gap = max(abs(slow[0] - fast.roc), abs(slow[1] - fast.pr))
        print(
            f"n {n:>7,}: loops {loops:.2f} s, ours {ours * 1e3:.2f} ms, ratio {loops / ours:,.0f}, "
            f"every distinct score a threshold {exact * 1e3:.1f} ms, largest difference {gap:.0e}"
        )


if __name__ == "__main__":
    main()

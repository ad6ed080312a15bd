"""What an audit of alarms found, and the page on which one reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from unusual.explain.blame import LOCALISED, TOO_SMALL, VERDICTS, WRONG_REASON, Located
from unusual.explain.probes import CueEffect, Probe
from unusual.parts.masking import Index
from unusual.parts.surrogate import rank_agreement
from unusual.study import Block, Cell, Heat, Intervals, Study, Table, Words

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEVEL = 0.95
ALL = "all"
MOST_NAMED = 10
CHANCE_HIGH = 0.2  # mean overlap of random weights, or difference of shares, that one should know of


@dataclass(frozen=True)
class WrongReason:
    """Share of the judged detections of a category that were for the wrong reason, with its Wilson interval."""

    category: str
    explainer: str
    wrong: int
    judged: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class TrustReport:
    """Why a detector alarmed.

    Attributes
    ----------
    names : sequence of str
        Parts of a table, else empty.
    scores, alarms : (n,) arrays
        Of all items; an alarm is a score above `threshold`.
    spread : float
        Largest standard deviation of a score between calls, 0 where they repeat themselves.
    anomalous : (n,) bool or None
    categories : n names or None
    items : list of int
        The k alarms that were explained, by their place: where labels are known those on anomalies.
    parts : k arrays, the part of each column or cell
    weights, blamed : explainer -> k arrays (p,)
        What each part adds to the score; the fewest parts that hold a share of that.
    located, verdicts : explainer -> `Located`, n verdicts; None without truth
    probes : explainer -> `Probe`
    cue : CueEffect or None
    steps : int
        Alarms whose score takes few values however parts are hidden.
    """

    names: Sequence[str]
    scores: Vector
    threshold: float
    spread: float
    alarms: Mask
    anomalous: Mask | None
    categories: Sequence[str] | None
    items: list[int]
    parts: list[Index]
    weights: Mapping[str, list[Vector]]
    blamed: Mapping[str, list[Mask]]
    located: Mapping[str, Located] | None
    verdicts: Mapping[str, list[str]] | None
    probes: Mapping[str, Probe]
    cue: CueEffect | None
    steps: int

    @property
    def explainers(self) -> list[str]:
        """Those that were used; the first gives the answer."""
        return list(self.weights)

    @property
    def wrong_reasons(self) -> list[WrongReason]:
        """For each explainer the share over all categories, then for each category; empty without truth."""
        said = self.verdicts or {}
        groups = [ALL, *(sorted(set(self.categories)) if self.categories is not None else [])]
        return [_share(said[name], self.categories, group, name) for name in said for group in groups]

    @property
    def agreement(self) -> dict[tuple[str, str], float]:
        """Mean rank correlation between the weights of two explainers over the explained alarms."""
        pairs = combinations(self.explainers, 2) if self.items else ()
        return {(a, b): self._agreement(a, b) for a, b in pairs}

    def _agreement(self, a: str, b: str) -> float:
        both = zip(self.weights[a], self.weights[b], strict=True)
        return float(np.mean([rank_agreement(np.stack(pair)) for pair in both]))

    @property
    def answer(self) -> str:
        """The result in a sentence or two."""
        if not self.items:
            return "There is no alarm to explain" + (" on an anomaly." if self.anomalous is not None else ".")
        k, first = len(self.items), self.explainers[0]
        alarms = f"{k} alarm{'s' * (k > 1)}"
        if self.verdicts is not None:
            right, wrong, small = (self.verdicts[first].count(v) for v in (LOCALISED, WRONG_REASON, TOO_SMALL))
            said = f"Of {alarms} {right} fall where the defect is; {wrong} are raised for another reason"
            said += f"; {small} defects are too small to tell" if small else ""
        else:
            passed = self.probes[first].passed
            told = "cannot be tested" if np.isnan(passed) else f"passes all tests for {passed:.0%}"
            said = f"Without knowing where the defects are: what `{first}` blames for {alarms} {told}"
        return f"{said}.{self._cue_sentence()}"

    def _cue_sentence(self) -> str:
        if self.cue is None:
            return ""
        k, alone = len(self.items), int(self.cue.alone.sum())
        rise = np.nanmedian(self.cue.share) if not np.isnan(self.cue.share).all() else 0.0
        return f" The cue alone raises {alone} of {k} and causes {rise:.0%} of the rise of the score."

    def study(self) -> Study:
        """The answer, verdicts and tests as one reads them."""
        return Study("Does it look where it should?", self.answer, list(self._blocks()), self.notes)

    @property
    def notes(self) -> list[str]:
        """What limits the answer."""
        return [note for note in self._notes() if note]

    def _notes(self) -> Iterator[str]:
        wanted = int((self.alarms if self.anomalous is None else self.alarms & self.anomalous).sum())
        if wanted > len(self.items):
            yield f"{len(self.items)} of {wanted:,} alarms were explained, evenly chosen"
        if self.spread:
            yield f"scores differ from call to call, by up to {self.spread:.3g} (standard deviation); means were used"
        if self.steps:
            yield f"for {self.steps} alarms the score takes few values however parts are hidden; give a smoother one"
        untold = int(np.isnan(next(iter(self.probes.values())).ends).sum()) if self.items else 0
        if untold:
            yield f"{untold} alarms stay when all parts show normal content: what fills hidden parts is itself unusual"
        yield from self._truth_notes()
        yield "an explanation says what the score reacts to; parts that only act together can share the blame unevenly"

    def _truth_notes(self) -> Iterator[str]:
        if not self.located or not self.items:
            return
        first = self.located[self.explainers[0]]
        yield "the best threshold is chosen knowing the truth, so that figure is optimistic; compare it with chance"
        if first.random.mean() > CHANCE_HIGH:
            yield (
                f"random weights reach an overlap of {first.random.mean():.2f} on average; to count as localised "
                "an explanation must equal the best 5 % of them"
            )
        shares = [r.share for r in self.wrong_reasons if r.category == ALL and r.judged]
        if shares and max(shares) - min(shares) > CHANCE_HIGH:
            yield "the explainers do not agree on how many alarms have the right reason"

    def _blocks(self) -> Iterator[Block]:
        if not self.items:
            return
        if self.verdicts is not None and self.located is not None:
            said = self.verdicts.items()
            given = [v for v in VERDICTS if v in (LOCALISED, WRONG_REASON) or any(v in one for _, one in said)]
            counts: list[list[Cell]] = [[name, *(one.count(v) for v in given)] for name, one in said]
            yield Table("verdicts on all items, by explainer", ("explainer", *given), counts)
            shares = [(f"{r.explainer}, {r.category}", r.share, r.low, r.high) for r in self.wrong_reasons if r.judged]
            yield Intervals("detections for the wrong reason", f"share, {LEVEL:.0%} interval", shares)
            yield Table("overlap with the truth (intersection over union), means", _OVERLAP, list(self._overlaps()))
        rows: list[list[Cell]] = [[name, *_probe_row(found)] for name, found in self.probes.items()]
        yield Table("alarms put to the test: shares", _PROBES, rows)
        if len(self.explainers) > 1:
            pairs = [(a, b, value) for (a, b), value in self.agreement.items()]
            yield Table("do the explainers agree? mean rank correlation", ("explainer", "other", "agreement"), pairs)
        if self.cue is not None:
            yield Words(
                f"The cue: {self.cue.alone.mean():.0%} of the alarms are raised by it alone on a normal item, and "
                f"{self.cue.ends.mean():.0%} end when it alone shows normal content."
            )
        yield from self._blame_block()

    def _overlaps(self) -> Iterator[list[Cell]]:
        for name, found in (self.located or {}).items():
            yield [name, *(float(v.mean()) for v in (found.max_iou, found.at_share, found.random, found.possible))]

    def _blame_block(self) -> Iterator[Block]:
        """Which parts the first explainer blames, over all alarms."""
        chosen = self.blamed[self.explainers[0]]
        if len(self.names):
            often = np.mean(chosen, axis=0)
            order = [j for j in np.argsort(-often, kind="stable")[:MOST_NAMED] if often[j] > 0]
            rows = [(self.names[j], float(often[j])) for j in order]
            yield Table("columns blamed, share of the alarms", ("column", "share"), rows)
            return
        maps = [mask[index].astype(np.float64) for mask, index in zip(chosen, self.parts, strict=True)]
        if len({m.shape for m in maps}) == 1 and maps[0].ndim == 2:
            yield Heat("where alarms are blamed, share of the alarms", np.mean(maps, axis=0))


_OVERLAP = ("explainer", "best threshold", "blamed parts", "random weights", "best possible")
_PROBES = (
    "explainer",
    "ends before chance if blamed parts turn normal",
    "stays if others do",
    "stays if all others do",
    "passes all",
    "parts replaced until it ends",
)


def _probe_row(found: Probe) -> tuple[float | None, ...]:
    means = [v[~np.isnan(v)] for v in (found.ends, found.holds, found.alone)]
    shares = [float(v.mean()) if len(v) else None for v in means]
    needed = found.needed[~np.isnan(found.needed)]
    passed = None if np.isnan(found.passed) else found.passed
    return (*shares, passed, float(needed.mean()) if len(needed) else None)


def _share(said: list[str], categories: Sequence[str] | None, group: str, explainer: str) -> WrongReason:
    chosen = [v for i, v in enumerate(said) if group == ALL or (categories is not None and categories[i] == group)]
    wrong = chosen.count(WRONG_REASON)
    judged = wrong + chosen.count(LOCALISED)
    if not judged:
        return WrongReason(group, explainer, 0, 0, float("nan"), 0.0, 1.0)
    from scipy.stats import binomtest

    limits = binomtest(wrong, judged).proportion_ci(LEVEL, method="wilson")
    return WrongReason(group, explainer, wrong, judged, wrong / judged, float(limits.low), float(limits.high))

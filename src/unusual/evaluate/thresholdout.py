"""Thresholdout: a hold-out that can be asked again and again, because it answers no more than it must.

role: protocol
data: any
names: Thresholdout
system: 167
paper: Dwork et al., Preserving Statistical Validity in Adaptive Data Analysis, 2015
needs: -
checkpoint: none

Whoever tries features, thresholds and models on one hold-out fits them to it in the end. Here each question is answered
from the training data as long as the hold-out agrees with them; only where it does not is the hold-out itself heard,
with noise, and one of a limited number of such answers is used up.
The form with two noisy thresholds is that of Dwork et al., The Reusable Holdout, 2015.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.asked import Asked, BudgetSpent, HoldoutRecord
from unusual.evaluate.questions import area_of, columns, digest_of, samples_of, values_of
from unusual.parts.rows import fingerprint
from unusual.parts.sparse_vector import SparseVector
from unusual.store import written_whole
from unusual.study import Study

Vector = NDArray[np.float64]

FORMAT = 1


class Thresholdout:
    """Answers questions about a law from training data and a hold-out, many and chosen by earlier answers.

    A question is a function of the rows, and of the labels where there are any, that gives one number from 0 to 1 for
    each row, such as the 0/1 error of a model; its answer is the mean. What is learned of the hold-out is limited as
    long as nobody looks at it in another way and the seed is not known to those who ask.

    Parameters
    ----------
    train, holdout : (n, d) array, or (X, y)
        Independent samples of one law; rows of one must not be in the other.
    threshold : float, optional
        Difference of both means from which the hold-out is heard; default 4 / sqrt(n) for n rows held out.
    noise : float, optional
        Scale of the Laplace noise of its answers; comparisons carry four times as much. Default a sixteenth of the
        threshold: with a quarter, a fifth of the questions that do no harm use an answer up, and some that do pass.
    budget : int, default 128
        Answers of its own that it gives. An analyst who forces all of them out of it, and fits a model to them, is then
        told too much by less than the default threshold.
    random_state : int or None, default None
        Seed of the noise; None takes one from the system that nobody knows.

    Attributes
    ----------
    log : list of Asked
        What was asked and answered; never the mean of the hold-out itself.
    """

    def __init__(
        self,
        train: ArrayLike | Sequence[ArrayLike],
        holdout: ArrayLike | Sequence[ArrayLike],
        *,
        threshold: float | None = None,
        noise: float | None = None,
        budget: int = 128,
        random_state: int | None = None,
    ) -> None:
        self._samples = samples_of(train, holdout)
        n = len(self._samples[1][0])
        limit = 4 / math.sqrt(n) if threshold is None else threshold
        wanted = limit, limit / 16 if noise is None else noise
        if not (min(wanted) > 0 and budget >= 1):
            raise InputError(f"threshold is {threshold}, noise {noise} and budget {budget}; all must be above 0")
        self.budget = int(budget)
        self.log: list[Asked] = []
        self._answers: dict[str, float] = {}
        self._gate = SparseVector.start(float(wanted[0]), float(wanted[1]), self.budget, random_state)

    @property
    def budget_left(self) -> int:
        """Answers of its own that the hold-out may still give."""
        return self._gate.left

    def __repr__(self) -> str:
        return (
            f"Thresholdout({len(self._samples[0][0]):,} training rows, {len(self._samples[1][0]):,} held out, "
            f"{len(self.log):,} asked, {self.budget_left:,} of {self.budget:,} answers left)"
        )

    def ask(
        self, question: Callable[..., ArrayLike], name: str = "", bounds: tuple[float, float] = (0.0, 1.0)
    ) -> float | Vector:
        """The mean of `question(X)`, or `question(X, y)`, under the law that both samples are drawn from.

        Parameters
        ----------
        question : gives (n,) numbers, or (n, k) for k questions at once, each depending on its own row alone
        name : what to call it in the log
        bounds : limits between which numbers lie by their nature; those outside are cut to them

        Raises
        ------
        BudgetSpent
            If the hold-out has no answers of its own left.
        InputError
            If numbers are missing, not finite or outside 0 and 1 without other bounds.
        """
        low, high = bounds
        train, holdout = (values_of(question(*rows), len(rows[0]), low, high) for rows in self._samples)
        if train.shape[1:] != holdout.shape[1:]:
            raise InputError("question gives other columns for the hold-out than for the training rows")
        answers = [
            self._answer(float(t.mean()), float(h.mean()), digest_of(t, h, bounds), name, 1.0, bounds)
            for t, h in zip(columns(train), columns(holdout), strict=True)
        ]
        return np.array(answers) if train.ndim == 2 else answers[0]

    def ask_auroc(self, score: Callable[[NDArray[Any]], ArrayLike], name: str = "") -> float:
        """The area under the ROC curve of scores `score(X)` (n,), higher for label 1.

        It is no mean over rows: one row moves it by 1 / m, m the rows of the rarer class, so that threshold and noise
        are those of a hold-out of m rows.
        """
        (train, s), (holdout, t) = (area_of(score, *rows) for rows in self._samples)
        y = self._samples[1][1]
        wider = math.sqrt(len(y) / min(y.sum(), len(y) - y.sum()))
        return self._answer(train, holdout, digest_of(s, t, "auroc"), name, wider, (0.0, 1.0))

    def record(self) -> HoldoutRecord:
        """What has been asked so far."""
        gate = self._gate
        return HoldoutRecord(
            tuple(self.log), self.budget, gate.left, gate.threshold, gate.noise, len(self._samples[1][0])
        )

    def study(self) -> Study:
        """What has been asked so far, as a page."""
        return self.record().study()

    def save(self, path: str | Path) -> None:
        """Write what must not be forgotten as JSON: used budget, answers, and the state of the noise.

        Whoever reads the file and the training data could take the noise off: it belongs to the keeper of the hold-out.
        """
        state = {
            "format": FORMAT,
            "data": self._names(),
            "budget": self.budget,
            "gate": self._gate.state(),
            "answers": self._answers,
            "log": [entry.as_dict() for entry in self.log],
        }
        with written_whole(path) as stream:
            stream.write(json.dumps(state, indent=1, allow_nan=False).encode())

    @classmethod
    def resume(
        cls, path: str | Path, train: ArrayLike | Sequence[ArrayLike], holdout: ArrayLike | Sequence[ArrayLike]
    ) -> Thresholdout:
        """Go on where `save` stopped, with the same data.

        Raises
        ------
        InputError
            If the file is not one of these or the data are others.
        """
        found = cls(train, holdout, random_state=0)
        try:
            state = json.loads(Path(path).read_text(encoding="utf-8"))
            known, data = state["format"] == FORMAT, state["data"]
            found.budget = int(state["budget"])
            found._gate = SparseVector.from_state(state["gate"])
            found._answers = {str(key): float(value) for key, value in state["answers"].items()}
            found.log = [Asked(**entry) for entry in state["log"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is no saved state of a hold-out; give the file that save wrote") from error
        if not known or data != found._names():
            raise InputError(f"{path} was saved for other data or by another version; give its own samples")
        return found

    def _answer(
        self, train: float, holdout: float, digest: str, name: str, wider: float, bounds: tuple[float, float]
    ) -> float:
        """The algorithm, for one question; `wider` scales threshold and noise, `bounds` the answer."""
        if digest in self._answers:  # noise drawn anew for the same question could be averaged away
            answer = self._answers[digest]
            self.log.append(Asked(name, answer, "repeated"))
            return answer
        if self.budget_left < 1:
            raise BudgetSpent(
                f"the hold-out has given all {self.budget:,} answers of its own; collect a new hold-out, or report "
                "what was answered until now"
            )
        heard = self._gate.hear(train, holdout, wider)
        answer = bounds[0] + (bounds[1] - bounds[0]) * (train if heard is None else heard)
        self._answers[digest] = answer
        self.log.append(Asked(name, answer, "train" if heard is None else "holdout"))
        return answer

    def _names(self) -> list[str]:
        return [fingerprint(np.column_stack(rows).astype(np.float64)) for rows in self._samples]

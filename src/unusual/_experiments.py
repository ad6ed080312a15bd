"""Can an experiment be believed? Front doors of the studies of seeds, choices, hold-outs, leaks and samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.audit.model_collapse import ModelCollapse
from unusual.audit.multiverse import Multiverse
from unusual.data.encoder import TableEncoder
from unusual.data.labels import labels_of
from unusual.data.read_table import read_table
from unusual.data.split import related
from unusual.data.table import Table, require
from unusual.errors import InputError
from unusual.evaluate.censored_two_sample import CensoredTwoSample
from unusual.evaluate.fixations import FixationStudy
from unusual.evaluate.leaks import leaking_groups, leaking_rows
from unusual.evaluate.seed_comparison import compare_seeds
from unusual.evaluate.seed_scan import SeedScan
from unusual.evaluate.thresholdout import Thresholdout
from unusual.study import Study

Matrix = NDArray[np.float64]

MOST_PERMUTED = 5000  # items up to which permutations take seconds


def seeds(
    source: Any,
    label: str,
    *,
    method: str = "IsolationForest",
    against: str | None = None,
    metric: str = "auroc",
    runs: int = 30,
    cache: str | Path | None = None,
) -> Study:
    """How much of a result is the luck of the seed? A detector is run under many seeds on labelled rows.

    Parameters
    ----------
    source : anything that `scan` reads
    label : column of 0 normal, 1 anomalous
    method, against : detectors of tables; with the second, whether the first is better beyond the luck of seeds
    metric : "auroc", "average_precision", "f1_max" or "precision_at_n"
    runs : how many seeds
    cache : file of finished runs, so that a scan that was stopped goes on
    """
    table = read_table(source)
    y = labels_of(table, label)
    X = TableEncoder().fit_transform(table, label=label).astype(np.float64)
    options: dict[str, Any] = {"seeds": runs, "cache": cache}
    first = SeedScan.of_detector(method, X, y, metric, **options).run()
    if against is None:
        return first.study()
    return compare_seeds(first, SeedScan.of_detector(against, X, y, metric, **options).run()).study()


def choices(
    source: Any,
    label: str | None = None,
    *,
    folder: str | Path | None = None,
    key: str | None = None,
    random_state: int = 0,
) -> Study:
    """How much of a result is the choice? Every reasonable configuration is run, or read, and compared.

    Parameters
    ----------
    source : labelled rows on which detectors are tried, or the real table that synthetic ones are held against
    label : column of 0 normal, 1 anomalous, for detectors
    folder : folder of synthetic tables with `settings.csv`: a column `file`, and one column for each choice
    key : column that tells which unit a row stands for, in the real table and in the synthetic ones
    random_state : seed of the halvings
    """
    if (label is None) == (folder is None):
        raise InputError("give either label, to try detectors on labelled rows, or folder, to compare synthetic tables")
    if folder is not None:
        return Multiverse.of_folder(source, folder, key, random_state=random_state).study()
    return Multiverse.of_detectors(source, str(label), random_state=random_state).study()


def survival(
    source: Any,
    time: str,
    event: str,
    group: str,
    *,
    seen: int = 1,
    method: str | None = None,
    permutations: int = 999,
    random_state: int = 0,
) -> Study:
    """Do two groups fail by the same law, when many are still alive? One test, strong against many differences.

    Parameters
    ----------
    source : anything that `scan` reads
    time : column of the time of the event, or of the last look
    event : column that says whether the event was seen
    group : column of two groups
    seen : the value of `event` that says so: 1, or 0 where the column says "censored"
    method : "permutation" or "table" (simulated laws, at once); permutations up to 5,000 items unless given
    permutations : dealings of the groups that the p-value rests on
    """
    table = read_table(source, columns=[time, event, group])
    require([time, event, group], table.names, table.name)
    chosen = method or ("permutation" if len(table) <= MOST_PERMUTED else "table")
    test = CensoredTwoSample(permutations, chosen, seen, random_state)
    return test.test(table[time], table[event], table[group]).study()


def collapse(
    source: Any,
    generations: Sequence[Any] = (),
    *,
    fitter: str = "kde",
    policy: str = "replace",
    real_share: float = 0.5,
    rounds: int = 10,
    random_state: int = 0,
) -> Study:
    """What happens to a model that is trained on its own output? The loop is simulated, or made data are watched.

    Parameters
    ----------
    source : the real rows, numbers only
    generations : tables made so far, oldest first; none simulates the loop
    fitter, policy, real_share : see `ModelCollapse`
    rounds : generations simulated
    """
    audit = ModelCollapse(fitter, policy, real_share, rounds, random_state=random_state)
    return (audit.watch(source, generations) if len(generations) else audit.run(source)).study()


def gaze(folder: str | Path, *, random_state: int = 0) -> Study:
    """Do people look elsewhere on altered images? Recordings of eye movements are compared pair by pair.

    `folder` holds `pairs.csv`, `fixations.csv` and the images, as the page of FixationStudy describes them.
    """
    return FixationStudy(random_state=random_state).run(folder).study()


def leaks(train: Any, test: Any, *, group: str | None = None, columns: list[str] | None = None) -> Study:
    """Do test rows stand in the training data, too, or nearly so, or belong to the same lots?

    Parameters
    ----------
    train, test : anything that `scan` reads, in the same columns
    group : column of lots, machines, customers; none of them may be on both sides
    columns : the columns to compare; all unless given
    """
    wanted = None if columns is None else [*columns, *([group] if group else [])]
    A, B = read_table(train, columns=wanted), read_table(test, columns=wanted)
    encoder = TableEncoder().fit(A, group=group)
    found = leaking_rows(encoder.transform(A), encoder.transform(B), None if group is None else related(A, group, []))
    study = found.study()
    if group is None:
        return study
    shared = leaking_groups(A[group], B[group]).study()
    return Study(study.title, f"{study.answer} {shared.answer}", [*study.blocks, *shared.blocks],
                 [*study.notes, *shared.notes])  # fmt: skip


def holdout(
    train: Any, test: Any, ask: str, state: str | Path, *, id: str, budget: int = 128, threshold: float | None = None
) -> Study:
    """Ask a hold-out how large a mean loss is, as often as its budget allows, without wearing it out.

    Parameters
    ----------
    train, test : tables with one row for each item; `test` is the hold-out
    ask : column of the loss of each item, from 0 to 1, in both tables
    state : file that keeps what was asked, the budget left and the state of the noise; made at the first question
    id : column that names the items; the same items must come each time
    budget, threshold : see `Thresholdout`; they are set with the first question
    """
    A, B = read_table(train), read_table(test)
    samples = _named(A, id), _named(B, id)
    parts = dict(zip((rows.tobytes() for rows in samples), (_losses(A, ask), _losses(B, ask)), strict=True))
    if Path(state).exists():
        guard = Thresholdout.resume(state, *samples)
    else:
        guard = Thresholdout(*samples, budget=budget, threshold=threshold)
    guard.ask(lambda rows: parts[np.ascontiguousarray(rows).tobytes()], ask)
    guard.save(state)
    return guard.study()


def _named(table: Table, id: str) -> Matrix:
    """The names of the items as numbers (n, 1) that are the same each time."""
    names = [str(value) for value in table[id].tolist()]
    digests = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") for name in names]
    if len(set(digests)) < len(digests):
        raise InputError(f"column {id!r} of {table.name} names some items twice; it must tell them apart")
    return np.array(digests, dtype=np.float64)[:, None]


def _losses(table: Table, ask: str) -> NDArray[np.float64]:
    values = table[ask]
    if values.dtype.kind not in "bif":
        raise InputError(f"column {ask!r} of {table.name} holds no numbers; a loss is a number from 0 to 1")
    return values.astype(np.float64)

"""Small makers of synthetic tables: each fits the rows of X (n, d) and returns `count` new ones (count, d).

They serve as rivals and as test objects of audits; each has one known flaw, said in its first line.
Sources: Silverman, Density Estimation for Statistics and Data Analysis, 1986 (kernel densities, and the shrinkage that
keeps their variance); Shumailov et al., AI Models Collapse When Trained on Recursively Generated Data, 2024.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.parts.copula import GaussianCopula
from unusual.parts.neighbours import Neighbours
from unusual.parts.two_sample import correlations

Matrix = NDArray[np.float64]
Sampler = Callable[..., Matrix]  # (X, count, random_state) -> rows

EM_STEPS = 50
BANDWIDTHS: dict[str, Callable[[int, int], float]] = {
    "scott": lambda n, d: float(n ** (-1 / (d + 4))),
    "silverman": lambda n, d: float((n * (d + 2) / 4) ** (-1 / (d + 4))),
}


def bootstrap(X: Matrix, count: int, random_state: Any, noise: float = 0.0) -> Matrix:
    """Rows drawn with replacement, with normal noise of `noise` times each column's spread: repeats what it saw."""
    rng = np.random.default_rng(random_state)
    rows = X[rng.integers(len(X), size=count)]
    return rows + noise * X.std(axis=0) * rng.standard_normal(rows.shape) if noise else rows


def shuffled_columns(X: Matrix, count: int, random_state: Any) -> Matrix:
    """Each column drawn by itself: perfect margins, no relation between columns is left."""
    rng = np.random.default_rng(random_state)
    whole, rest = divmod(count, len(X))
    order = [np.concatenate([rng.permutation(len(X)) for _ in range(whole + (rest > 0))])[:count] for _ in X.T]
    return np.take_along_axis(X, np.column_stack(order), axis=0)


def copula(X: Matrix, count: int, random_state: Any) -> Matrix:
    """A Gaussian copula over the margins of X: relations that are not monotone are lost."""
    return GaussianCopula.of(X).sample(count, np.random.default_rng(random_state))


def between_neighbours(X: Matrix, count: int, random_state: Any, k: int = 5) -> Matrix:
    """A row moved a random way towards one of its `k` nearest rows, columns in units of spread: shrinks the cloud."""
    rng = np.random.default_rng(random_state)
    Z = X / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    start = rng.integers(len(X), size=count)
    near = Neighbours(Z).query(Z[start], min(k, len(X) - 1), exclude=start)[1]  # (count, k)
    goal = near[np.arange(count), rng.integers(near.shape[1], size=count)]
    return X[start] + rng.uniform(size=(count, 1)) * (X[goal] - X[start])


def kernel_density(
    X: Matrix, count: int, random_state: Any, bandwidth: str | float = "scott", keep_variance: bool = False
) -> Matrix:
    """A Gaussian kernel density whose kernel is h^2 times the covariance of X: widens the cloud by 1 + h^2.

    Parameters
    ----------
    bandwidth : "scott", "silverman", or a number in units of the columns, the same whatever X is
        A number is the absolute width of the kernel: the variance then grows by its square.
    keep_variance : bool
        Draw rows back to the mean by sqrt(1 + h^2), so that the covariance stays; modes still melt together.
    """
    rng = np.random.default_rng(random_state)
    n, d = X.shape
    noise = rng.standard_normal((count, d))
    rows = X[rng.integers(n, size=count)]
    if not isinstance(bandwidth, str):
        return rows + bandwidth * noise
    h = BANDWIDTHS[bandwidth](n, d)
    moved = rows + h * noise @ _factor(X, 1).T
    mean = X.mean(axis=0)
    return mean + (moved - mean) / np.sqrt(1 + h * h) if keep_variance else moved


def gaussian(X: Matrix, count: int, random_state: Any, ddof: int = 1) -> Matrix:
    """A normal law with the mean and covariance of X, divided by n - `ddof`: its spread dies out over generations."""
    rng = np.random.default_rng(random_state)
    return np.asarray(X.mean(axis=0) + rng.standard_normal((count, X.shape[1])) @ _factor(X, ddof).T)


def gaussian_mixture(X: Matrix, count: int, random_state: Any, components: int = 3) -> Matrix:
    """A mixture of `components` normal laws fitted by expectation-maximisation: forgets rare modes."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(random_state)
    seed = int(rng.integers(2**31))
    model = GaussianMixture(min(components, len(X) // 10), max_iter=EM_STEPS, tol=0.01, random_state=seed)
    rows = np.asarray(_settled(model, X).sample(count)[0], dtype=np.float64)
    return rows[rng.permutation(count)]


def _settled(model: Any, X: Matrix) -> Any:
    """The fitted mixture; that it was stopped before it moved less than its tolerance is no failure here."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


def _factor(X: Matrix, ddof: int) -> Matrix:
    """L (d, d) with L L' the covariance of X (n, d), which may be singular; found in units of spread."""
    sd = X.std(axis=0, ddof=ddof)
    if X.shape[1] == 1:
        return np.asarray(sd[:, None])
    correlation = np.nan_to_num(correlations(X))  # a constant column has none
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(sd[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)))


SAMPLERS: dict[str, Sampler] = {
    "kde": kernel_density,
    "kde silverman": partial(kernel_density, bandwidth="silverman"),
    "kde keeping variance": partial(kernel_density, keep_variance=True),
    "gaussian": gaussian,
    "gaussian maximum likelihood": partial(gaussian, ddof=0),
    "mixture": gaussian_mixture,
    "bootstrap": bootstrap,
    "copula": copula,
    "neighbours": between_neighbours,
    "shuffled columns": shuffled_columns,
}
KEEPS_VALUES = ("bootstrap", "copula", "shuffled columns")  # never make a value a column does not have


def sampler(name: str | Sampler) -> Sampler:
    """The maker of this name, or the callable that was given.

    Raises
    ------
    InputError
        If there is no such name.
    """
    if callable(name):
        return name
    if name not in SAMPLERS:
        raise InputError(f"there is no sampler {name!r}; choose one of: {', '.join(SAMPLERS)}, or give a callable")
    return SAMPLERS[name]

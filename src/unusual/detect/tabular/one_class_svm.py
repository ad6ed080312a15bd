"""OneClassSVM: side and distance of a row to the surface that encloses most of the reference in a kernel's space.

role: detector
data: table
names: OneClassSVM
system: -
paper: Schoelkopf et al., Estimating the Support of a High-Dimensional Distribution, 2001
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError, suggest
from unusual.parts.conformal import check_rate
from unusual.parts.kernel_methods import Nystroem, gaussian_kernel
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

APPROXIMATIONS = ("auto", "none", "nystroem")
EXACT_ROWS = 2_000  # the exact solution takes time quadratic in the rows
SOLVER_ROWS = 30_000  # so many rows determine a few hundred weights
CELLS = 1 << 20  # kernel values held at a time


class OneClassSVM(Detector):
    """rho - sum_i alpha_i k(x_i, x) with a Gaussian kernel on standardised columns.

    Parameters
    ----------
    nu : float in (0, 1), default 0.5
        Upper bound of the share of reference rows outside the surface, lower bound of that of support vectors.
    gamma : float or None, default None
        The kernel is exp(-gamma |x - x'|^2) of standardised rows; None takes 1 / d.
    approximation : "auto", "none" or "nystroem", default "auto"
        "none" solves the exact problem; "nystroem" replaces the kernel by inner products of `n_landmarks` features
        and takes time linear in the rows; "auto" is exact up to 2,000 rows.
    n_landmarks : int, default 400
        Rows drawn as landmarks of the approximation.
    random_state : int, default 0
        Seed of the landmarks.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    vectors_ : (m, d) array
        Support vectors, or landmarks, in standardised units.
    coefficients_ : (m,) array
        Their weights; in the exact solution each lies in [0, 1] and they sum to nu n.
    rho_ : float
        Offset of the surface.
    gamma_ : float
        The gamma in use.
    """

    def __init__(
        self,
        nu: float = 0.5,
        gamma: float | None = None,
        approximation: str = "auto",
        n_landmarks: int = 400,
        random_state: int = 0,
        alarm_rate: float = 0.01,
    ) -> None:
        self.nu = nu
        self.gamma = gamma
        self.approximation = approximation
        self.n_landmarks = n_landmarks
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._check()
        self.scaling_ = Standardizer.of(X)
        self.gamma_ = 1 / X.shape[1] if self.gamma is None else float(self.gamma)
        exact = self.approximation == "none" or (self.approximation == "auto" and len(X) <= EXACT_ROWS)
        if exact:
            self._solve(self.scaling_(X).astype(np.float64))
        else:
            self._solve_in_features(self.scaling_(X[some_rows(len(X), SOLVER_ROWS)]).astype(np.float64))

    def _score(self, X: Matrix) -> Vector:
        scores = np.empty(len(X))
        step = max(1, CELLS // len(self.vectors_))
        for start in range(0, len(X), step):
            Z = self.scaling_(X[start : start + step])
            scores[start : start + step] = gaussian_kernel(Z, self.vectors_, self.gamma_) @ self.coefficients_
        return self.rho_ - scores

    def _solve(self, Z: Vector) -> None:
        """The dual problem, by scikit-learn's libsvm."""
        from sklearn.svm import OneClassSVM as Solver

        solved = Solver(nu=self.nu, gamma=self.gamma_).fit(Z)
        self.vectors_ = np.ascontiguousarray(solved.support_vectors_)
        self.coefficients_ = solved.dual_coef_[0].copy()
        self.rho_ = -float(solved.intercept_[0])

    def _solve_in_features(self, Z: Vector) -> None:
        """The primal problem in the features of the Nystroem map, brought to the scale of the exact solution."""
        rng = np.random.default_rng(self.random_state)
        landmarks = rng.choice(len(Z), min(self.n_landmarks, len(Z)), replace=False)
        features = Nystroem.of(Z[np.sort(landmarks)], self.gamma_)
        w, rho = enclosing_plane(features(Z), self.nu)
        size = self.nu * len(Z)
        self.vectors_, self.coefficients_ = features.landmarks, size * (features.whitening @ w)
        self.rho_ = size * rho

    def _check(self) -> None:
        check_rate(self.nu, "nu")
        if self.gamma is not None and not self.gamma > 0:
            raise InputError(f"gamma is {self.gamma!r}; give a positive number, or None for 1 / number of columns")
        if self.n_landmarks < 1:
            raise InputError(f"n_landmarks is {self.n_landmarks}; give a number from 1")
        if self.approximation not in APPROXIMATIONS:
            hint = suggest(str(self.approximation), list(APPROXIMATIONS))
            raise InputError(f"approximation is {self.approximation!r}; use one of {', '.join(APPROXIMATIONS)}{hint}")


def enclosing_plane(features: Vector, nu: float) -> tuple[Vector, float]:
    """Normal (r,) and offset of the plane that parts the rows of `features` (n, r) from the origin.

    Minimises |w|^2 / 2 - rho + mean(max(0, rho - w.f)) / nu with the corner of the hinge rounded off, by L-BFGS.
    """
    n = len(features)
    start = features.mean(axis=0)  # (r,)
    along = features @ start
    rho = float(np.quantile(along, nu))
    corner = 1e-2 * max(float(along.std()), 1e-12)  # width of the rounding, in units of the projections

    def loss(parameters: Vector) -> tuple[float, Vector]:
        """Value and gradient (r + 1,) at the normal and the offset (r + 1,)."""
        w, rho = parameters[:-1], parameters[-1]
        short = rho - features @ w  # (n,), positive outside
        slope = np.clip(short / corner, 0, 1)
        hinge = slope * (short - slope * corner / 2)
        pull = slope / (nu * n)
        gradient = np.append(w - pull @ features, pull.sum() - 1)
        return float(w @ w / 2 - rho + hinge.sum() / (nu * n)), gradient

    scale = max(abs(rho), 1e-12)
    found = minimize(
        lambda p: tuple(part / scale for part in loss(p)),
        np.append(start, rho),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 300, "maxcor": 30, "ftol": 1e-9, "gtol": 1e-5},
    )
    return found.x[:-1], float(found.x[-1])

"""One line for each method: parameters for a quick run, and what it is excused from, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    slow: bool = False
    blind_to: dict[str, str] = field(default_factory=dict)  # kind of planted anomaly -> why the method cannot see it
    failing_checks: dict[str, str] = field(default_factory=dict)  # scikit-learn's checks that cannot hold -> reason


CASES = [
    Case("AttributionSensitivity"),
    Case("AutoLog"),
    Case("AutoRegression"),
    Case("AutoSeries"),
    Case("AutoTable", slow=True),
    Case("CBLOF"),
    Case("CensoredTwoSample"),
    Case("ChangePoints"),
    Case("ContaminationPosterior"),
    Case("COPOD", blind_to={"ring": "each column alone holds the middle of the ring for ordinary"}),
    Case("CountDistance", blind_to={"order": "it counts events, in whatever order"}),
    Case("DSPOT"),
    Case("ECOD", blind_to={"ring": "each column alone holds the middle of the ring for ordinary"}),
    Case("FixationStudy"),
    Case("GaussianMixture"),
    Case("HalfSpaceTrees", blind_to={"flat": "four steps of it lie in boxes that steps about the mean fill as well"}),
    Case("HBOS"),
    Case("INNE"),
    Case("IRT"),
    Case("IsolationForest"),
    Case("KDE"),
    Case("KMeansWindows"),
    Case("KNN"),
    Case("KShape"),
    Case("LODA"),
    Case("LOF"),
    Case("Mahalanobis", blind_to={"ring": "one ellipse covers the hole in the middle"}),
    Case("MatrixProfile"),
    Case("ModelCollapse"),
    Case("MovingZ", blind_to={"flat": "a step that is frozen near the median is near the median"}),
    Case("Multiverse"),
    Case("NGramSurprise"),
    Case("OneClassSVM", blind_to={"ring": "the default kernel is as wide as the ring"}),
    Case("OSFT"),
    Case("PCA", blind_to={"ring": "one ellipse covers the hole in the middle"}),
    Case("PolynomialResidual", blind_to={"flat": "a stretch without energy lies on the smooth course"}),
    Case(
        "RareTemplates",
        blind_to={
            "value": "it looks at kinds of lines, not at what stands in them",
            "burst": "it counts lines whenever they come",
        },
    ),
    Case("RobustMahalanobis", blind_to={"ring": "one ellipse covers the hole in the middle"}),
    Case(
        "RobustRandomCutForest",
        blind_to={
            "flat": "four steps of it hardly lie apart from those about the mean, once it is not the only novelty"
        },
    ),
    Case("SeasonalTrend"),
    Case("SeedScan"),
    Case(
        "SlotValues",
        blind_to={
            "new": "nothing is known of what stands in a new kind of line",
            "burst": "the first line of a burst comes when any line might",
        },
    ),
    Case("SpectralResidual", blind_to={"flat": "a stretch without energy has little to stand out with"}),
    Case("SPOT"),
    Case("StratifiedLime"),
    Case("SubIsolationForest", blind_to={"spike": "a spike is three of eighty columns of a window, and rarely cut"}),
    Case("SubKNN"),
    Case("SubLOF"),
    Case("SubPCA"),
    Case(
        "TemplateBursts",
        blind_to={
            "value": "it looks at when lines come, not at what stands in them",
            "new": "a kind of line that goes on for long is listed once, at its first line",
        },
    ),
    Case("Thresholdout"),
    Case("TrustAudit"),
]

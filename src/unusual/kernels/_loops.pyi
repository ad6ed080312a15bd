"""The compiled loops. Sizes follow the arrays; csrc/module.c says which array is what, and checks them all."""

from typing_extensions import Buffer

def widest() -> int: ...
def forest_fit(
    X: Buffer,
    sample: Buffer,
    uniform: Buffer,
    path: Buffer,
    feature: Buffer,
    threshold: Buffer,
    leaf: Buffer,
    d: int,
    psi: int,
    depth: int,
    /,
) -> None: ...
def forest_sum(
    X: Buffer,
    feature: Buffer,
    threshold: Buffer,
    leaf: Buffer,
    out: Buffer,
    d: int,
    trees: int,
    depth: int,
    level: int,
    /,
) -> None: ...
def tails_counts(
    X: Buffer, columns: Buffer, at_most: Buffer, below: Buffer, d: int, reference: int, item: int, level: int, /
) -> None: ...
def tails_score(
    X: Buffer,
    columns: Buffer,
    skew: Buffer,
    out: Buffer,
    d: int,
    reference: int,
    item: int,
    copod: int,
    leave_out: int,
    level: int,
    /,
) -> None: ...
def columns_sort(X: Buffer, columns: Buffer, d: int, first: int, count: int, /) -> None: ...
def column_cubes(
    X: Buffer, centre: Buffer, out: Buffer, d: int, item: int, side: int, lines: int, level: int, /
) -> None: ...
def column_spread(X: Buffer, out: Buffer, d: int, item: int, side: int, lines: int, level: int, /) -> None: ...
def histogram_fit(
    X: Buffer, low: Buffer, scale: Buffer, counts: Buffer, d: int, bins: int, item: int, level: int, /
) -> None: ...
def histogram_score(
    X: Buffer, low: Buffer, scale: Buffer, table: Buffer, out: Buffer, d: int, bins: int, item: int, level: int, /
) -> None: ...
def balls_sum(
    X: Buffer,
    centres: Buffer,
    radius2: Buffer,
    value: Buffer,
    order: Buffer,
    out: Buffer,
    d: int,
    sets: int,
    psi: int,
    level: int,
    /,
) -> None: ...
def place_order(rows: Buffer, order: Buffer, d: int, unit: int, fine: int, /) -> None: ...
def nearest(
    packed: tuple[Buffer, ...],
    moved: Buffer,
    queries: Buffer,
    which: Buffer,
    without: Buffer,
    distance: Buffer,
    index: Buffer,
    sizes: tuple[float, ...],
    k: int,
    wide: int,
    level: int,
    /,
) -> None: ...
def windows(
    rows: tuple[Buffer, Buffer, Buffer],
    lanes: tuple[Buffer, Buffer, Buffer],
    of_row: tuple[Buffer, ...],
    of_lane: tuple[Buffer, ...],
    lags: Buffer,
    sizes: tuple[int, int, int, int, int],
    normalised: int,
    level: int,
    /,
) -> None: ...
def windows_measure(
    rows: tuple[Buffer, Buffer],
    lanes: tuple[Buffer, Buffer],
    index: Buffer,
    distance: Buffer,
    sizes: tuple[int, int, int, int, int],
    /,
) -> None: ...
def cut_forest(
    X: Buffer,
    state: tuple[Buffer, Buffer, Buffer, Buffer, Buffer, Buffer],
    seeds: Buffer,
    out: Buffer,
    sizes: tuple[int, int, int],
    count: int,
    keep: bool,
    /,
) -> None: ...
def half_space(
    X: Buffer,
    column: Buffer,
    cut: Buffer,
    mass: Buffer,
    latest: Buffer,
    out: Buffer,
    sizes: tuple[int, int, int],
    few: float,
    keep: bool,
    /,
) -> None: ...

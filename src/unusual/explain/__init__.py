"""Why this one: contributions, reasons, causes that findings share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unusual.study import Study


def run(
    model: Any,
    source: Any,
    item: str | int | Sequence[str | int] | None = None,
    *,
    reference: Any = None,
    level: float = 0.1,
    random_state: int = 0,
) -> Study:
    """Why this row? What each column adds to its score, how steady that is, and which columns are more than chance.

    Parameters
    ----------
    model : what `unusual.fit` returned, or the file it was saved to
    source : anything that `scan` reads
    item : the row, by the column that names rows or by its number from 0; the most unusual one unless given
    reference : usual rows, from a few hundred on; by default the rows of `source` that do not alarm if there are 300 of
        them, else the few that the model keeps
    level : share of false ones among the columns claimed to matter, on average, in (0, 1)
    random_state : seed of the replacements

    Raises
    ------
    InputError
        If there is no such item, or the data lack columns of the model.
    """
    from unusual.explain.items import study_of

    return study_of(model, source, item, reference, level, random_state)

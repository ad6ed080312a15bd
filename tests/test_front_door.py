"""The front door stays light, flat and complete."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import unusual
from unusual import InputError
from unusual.catalogue import card, cards, make, methods

HEAVY = {"numpy", "scipy", "sklearn", "torch", "pandas", "polars", "duckdb", "rich"}


@pytest.mark.parametrize(
    "code",
    [
        "import unusual",
        "import unusual; dir(unusual); unusual.methods()",
        "import sys; sys.argv = ['unusual', '--help']\nimport unusual._cli\n"
        "try: unusual._cli.main()\nexcept SystemExit as stop: assert stop.code in (0, None)",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    code += f"\nprint('heavy:', *sorted({HEAVY!r} & {{m.split('.')[0] for m in sys.modules}}), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True)
    assert run.stderr.splitlines()[-1].strip() == "heavy:"


def test_every_public_name_is_there_and_listed() -> None:
    assert set(unusual.__all__) <= set(dir(unusual))
    assert set(cards()) <= set(dir(unusual))
    for name in unusual.__all__:
        assert getattr(unusual, name) is not None or name == "__version__"
    with pytest.raises(AttributeError, match="NoSuchThing"):
        unusual.NoSuchThing  # noqa: B018


def test_no_public_name_hides_a_module() -> None:
    modules = {module.name for module in pkgutil.iter_modules(unusual.__path__)}
    assert not modules & (set(unusual.__all__) | set(cards()))


def test_names_are_unique_whatever_the_case() -> None:
    names = [name.lower() for name in [*cards(), *unusual.__all__]]
    assert len(names) == len(set(names))


def test_make_says_what_is_wrong() -> None:
    with pytest.raises(InputError, match="did you mean 'Mahalanobis'"):
        make("mahalanobis")
    with pytest.raises(InputError, match="did you mean 'shrinkage'"):
        make("Mahalanobis", shrinkag=0.1)
    assert make("Mahalanobis", shrinkage=0.1).shrinkage == 0.1


def test_methods_can_be_filtered() -> None:
    assert {c.data for c in methods(data="table")} == {"table"}
    assert methods(role="no such role") == []
    assert card("Mahalanobis").paper.startswith("Mahalanobis")

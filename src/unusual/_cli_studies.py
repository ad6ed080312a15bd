"""The commands that study a model, its alarms or an experiment: each ends in a page, printed or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unusual.study import Study

Model = Annotated[str, typer.Argument(help="A model that unusual fit saved.")]
Data = Annotated[str, typer.Argument(help="CSV, JSON, Parquet or SQLite file, folder, glob or query.")]
Label = Annotated[str, typer.Option(help="Column of 0 normal, 1 anomalous.")]
Html = Annotated[str | None, typer.Option(help="Write the page, one file that needs no network.")]
Json = Annotated[str | None, typer.Option(help="Write every number of the page.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]
Seed = Annotated[int, typer.Option(help="Seed of everything that draws.")]
Rate = Annotated[float | None, typer.Option(help="Share of normal rows accepted as false alarms, such as 0.01.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (sensitivity, compare):
        app.command()(command)


def sensitivity(
    model: Model,
    reference: Annotated[str, typer.Argument(help="Normal rows, best such as the model has not seen.")],
    chance: Annotated[float, typer.Option(help="The chance of being caught that is asked for.")] = 0.9,
    items: Annotated[int, typer.Option(help="How many rows are damaged.")] = 200,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Say what a model would catch, by damaging normal rows."""
    import unusual

    found = unusual.sensitivity(model, reference, wanted=chance, items=items, random_state=seed)
    hand_over(found.study(), html, json, quiet)


def compare(
    old: Model,
    new: Annotated[str, typer.Argument(help="The model that is to take its place.")],
    data: Data,
    alarm_rate: Rate = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Say which alarms change with a new model."""
    import unusual

    hand_over(unusual.compare(old, new, data, alarm_rate=alarm_rate).study(), html, json, quiet)


def hand_over(study: Study, html: str | None, json: str | None, quiet: bool) -> None:
    """Write the files asked for, then print a study."""
    written = [path for path in (html, json) if path is not None]
    for path, keep in ((html, study.to_html), (json, study.to_json)):
        if path is not None:
            keep(path)
    if quiet:
        return
    from rich.console import Console

    from unusual.report.study_text import write

    write(study, Console())
    for path in written:
        typer.echo(f"wrote {path}")

"""The commands that study a model, its alarms or an experiment: each ends in a page, printed or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
    for command in COMMANDS:
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


def explain(
    model: Model,
    data: Data,
    item: Annotated[str | None, typer.Option(help="The row, by its name or number; else the most unusual one.")] = None,
    reference: Annotated[str | None, typer.Option(help="Usual rows that replacements are taken from.")] = None,
    level: Annotated[float, typer.Option(help="Share of false ones among the columns claimed.")] = 0.1,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Say why a row is unusual, and how sure that is."""
    from unusual.explain import run

    study = run(model, data, item, reference=reference, level=level, random_state=seed)
    hand_over(study, html, json, quiet)


def trust(
    model: Model,
    data: Data,
    label: Annotated[str | None, typer.Option(help="Column of 0 normal, 1 anomalous.")] = None,
    truth: Annotated[str | None, typer.Option(help="Columns that are truly wrong in the anomalous rows.")] = None,
    cue: Annotated[str | None, typer.Option(help="Columns that should not matter.")] = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Say whether a model alarms for the right reason."""
    import unusual

    found = unusual.trust(model, data, label=label, truth=listed(truth), cue=listed(cue), random_state=seed)
    hand_over(found.study(), html, json, quiet)


def evaluate(
    data: Data,
    label: Label,
    score: Annotated[str | None, typer.Option(help="Columns of scores; the first is judged.")] = None,
    group: Annotated[str | None, typer.Option(help="Column of related rows, which are resampled together.")] = None,
    series: Annotated[bool, typer.Option("--series", help="The rows are steps in time.")] = False,
    steps_per_day: Annotated[float | None, typer.Option(help="Rows in a day, for alarms a day.")] = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Judge scores by labels: every metric with its interval."""
    from unusual.evaluate import run

    options: dict[str, Any] = {"group": group, "series": series, "steps_per_day": steps_per_day}
    hand_over(run(data, label, listed(score), random_state=seed, **options), html, json, quiet)


def leaks(
    train: Annotated[str, typer.Argument(help="The training data.")],
    test: Annotated[str, typer.Argument(help="The test data, in the same columns.")],
    group: Annotated[str | None, typer.Option(help="Column of lots, machines, customers.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns to compare, separated by commas.")] = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Say whether test rows stand in the training data, too."""
    import unusual

    hand_over(unusual.leaks(train, test, group=group, columns=listed(columns) or None), html, json, quiet)


def seeds(
    data: Data,
    label: Label,
    method: Annotated[str, typer.Option(help="A detector of tables.")] = "IsolationForest",
    against: Annotated[str | None, typer.Option(help="Another one: is the first better beyond luck?")] = None,
    metric: Annotated[str, typer.Option(help="auroc, average_precision, f1_max or precision_at_n.")] = "auroc",
    runs: Annotated[int, typer.Option(help="How many seeds.")] = 30,
    cache: Annotated[str | None, typer.Option(help="File of finished runs: a scan that was stopped goes on.")] = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Say how much of a result is the luck of the seed."""
    import unusual

    options: dict[str, Any] = {"method": method, "against": against, "metric": metric, "runs": runs, "cache": cache}
    hand_over(unusual.seeds(data, label, **options), html, json, quiet)


def choices(
    data: Data,
    label: Annotated[str | None, typer.Option(help="Column of 0 and 1: detectors are tried on these rows.")] = None,
    folder: Annotated[str | None, typer.Option(help="Folder of synthetic tables with settings.csv.")] = None,
    key: Annotated[str | None, typer.Option(help="Column that tells which unit a row stands for.")] = None,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Say how much of a result is the choice of method and settings."""
    import unusual

    hand_over(unusual.choices(data, label, folder=folder, key=key, random_state=seed), html, json, quiet)


def survival(
    data: Data,
    time: Annotated[str, typer.Option(help="Column of the time of the event, or of the last look.")],
    event: Annotated[str, typer.Option(help="Column that says whether the event was seen.")],
    group: Annotated[str, typer.Option(help="Column of two groups.")],
    seen: Annotated[int, typer.Option(help="The value that says so; 0 where the column says censored.")] = 1,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Test whether two groups fail by the same law."""
    import unusual

    hand_over(unusual.survival(data, time, event, group, seen=seen, random_state=seed), html, json, quiet)


def collapse(
    data: Data,
    generations: Annotated[list[str] | None, typer.Argument(help="Tables made so far; none: simulate.")] = None,
    fitter: Annotated[str, typer.Option(help="What is trained, such as kde, gaussian or bootstrap.")] = "kde",
    policy: Annotated[str, typer.Option(help="replace, mix, accumulate or accumulate-subsample.")] = "replace",
    real_share: Annotated[float, typer.Option(help="Share of real rows with policy mix.")] = 0.5,
    rounds: Annotated[int, typer.Option(help="Generations simulated.")] = 10,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Say what becomes of a model trained on its own output."""
    import unusual

    options: dict[str, Any] = {"fitter": fitter, "policy": policy, "real_share": real_share, "rounds": rounds}
    hand_over(unusual.collapse(data, generations or (), random_state=seed, **options), html, json, quiet)


def holdout(
    train: Annotated[str, typer.Argument(help="Training rows with their losses.")],
    test: Annotated[str, typer.Argument(help="The hold-out with its losses.")],
    ask: Annotated[str, typer.Option(help="Column of the loss of each item, from 0 to 1.")],
    state: Annotated[str, typer.Option(help="File that keeps the budget and what was asked.")],
    id: Annotated[str, typer.Option(help="Column that names the items.")],
    budget: Annotated[int, typer.Option(help="Answers of its own the hold-out may give.")] = 128,
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Ask a hold-out for a mean loss without wearing it out."""
    import unusual

    hand_over(unusual.holdout(train, test, ask, state, id=id, budget=budget), html, json, quiet)


def gaze(
    folder: Annotated[str, typer.Argument(help="Folder with pairs.csv, fixations.csv and images.")],
    html: Html = None,
    json: Json = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Test whether people look elsewhere on altered images."""
    import unusual

    hand_over(unusual.gaze(folder, random_state=seed), html, json, quiet)


def watch(
    source: Annotated[str, typer.Argument(help="A growing CSV file, its http address, or - for standard input.")],
    model: Annotated[str, typer.Option(help="A model of a series that unusual fit saved.")],
    state: Annotated[str | None, typer.Option(help="File that keeps where the watch is: it goes on there.")] = None,
    alarms_per_day: Annotated[float | None, typer.Option(help="False alarms accepted in a day.")] = None,
    threshold: Annotated[str, typer.Option(help="calibration, or spot: the tail of the stream.")] = "calibration",
    learn: Annotated[str, typer.Option(help="none, all, normal or delayed: what the model learns on from.")] = "none",
    time: Annotated[str | None, typer.Option(help="Column of times.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end.")] = True,
    json: Annotated[bool, typer.Option("--json", help="One alarm a line as JSON.")] = False,
) -> None:
    """Watch a series as it is written, and tell alarms."""
    import json as lines
    import sys

    import unusual
    from unusual._watch import sentence

    read: Any = sys.stdin if source == "-" else source
    options: dict[str, Any] = {"state": state, "alarms_per_day": alarms_per_day, "threshold": threshold}
    for told in unusual.watch(read, model, learn=learn, time=time, follow=follow, **options):
        typer.echo(lines.dumps(told) if json else sentence(told))
        sys.stdout.flush()


def listed(names: str | None) -> list[str]:
    """Names separated by commas."""
    return [] if names is None else [name.strip() for name in names.split(",") if name.strip()]


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


COMMANDS = (
    explain,
    trust,
    sensitivity,
    compare,
    watch,
    evaluate,
    leaks,
    seeds,
    choices,
    holdout,
    survival,
    collapse,
    gaze,
)

"""The command line: each command calls the front-door function of its name."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unusual import _cli_studies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from unusual.findings import Findings
    from unusual.log_findings import LogFindings
    from unusual.series_findings import SeriesFindings

app = typer.Typer(
    help="Finds what does not belong in your data, says how sure it is, and shows why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Source = Annotated[
    str, typer.Argument(help="CSV, JSON, Parquet, SQLite or log file, folder, glob, query or connection string.")
]
Reference = Annotated[str | None, typer.Option(help="Data known to be normal, in the same columns.")]
Rate = Annotated[float | None, typer.Option(help="Share of normal rows accepted as false alarms, such as 0.01.")]
FDR = Annotated[float | None, typer.Option(help="Share of false findings among the findings, such as 0.1.")]
Budget = Annotated[int | None, typer.Option(help="How many findings you can look at, at most.")]
MethodName = Annotated[str | None, typer.Option(help="A detector by name; see: unusual methods.")]
Id = Annotated[str | None, typer.Option(help="Column that names the rows; it is not looked at.")]
Group = Annotated[str | None, typer.Option(help="Column of related rows (lot, machine, customer), kept together.")]
Columns = Annotated[str | None, typer.Option(help="Columns to look at, separated by commas.")]
Kind = Annotated[str | None, typer.Option(help="table, series or events; recognised unless given.")]
Time = Annotated[str | None, typer.Option(help="Column with the time of each row: the rows are a series.")]
By = Annotated[str | None, typer.Option(help="Column that tells series apart; in a log what ties lines together.")]
PerDay = Annotated[float | None, typer.Option(help="False alarms accepted in a day of a normal series.")]
Label = Annotated[
    str | None, typer.Option(help="Column of 0 normal, 1 anomalous: adds metrics, never changes a score.")
]
Html = Annotated[str | None, typer.Option(help="Write the report, one page that needs no network.")]
Csv = Annotated[str | None, typer.Option(help="Write every row with score, p-value and reason.")]
Json = Annotated[str | None, typer.Option(help="Write the findings with everything about them.")]
Parquet = Annotated[str | None, typer.Option(help="Write every row with score, p-value and reason.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]
Seed = Annotated[int, typer.Option(help="Seed of everything that draws.")]
Fail = Annotated[bool, typer.Option("--fail-if-found", help="Exit with 3 if anything unusual is found.")]


@app.command()
def scan(
    source: Source,
    reference: Reference = None,
    method: MethodName = None,
    alarm_rate: Rate = None,
    fdr: FDR = None,
    budget: Budget = None,
    id: Id = None,
    group: Group = None,
    columns: Columns = None,
    kind: Kind = None,
    time: Time = None,
    by: By = None,
    alarms_per_day: PerDay = None,
    label: Label = None,
    html: Html = None,
    csv: Csv = None,
    json: Json = None,
    parquet: Parquet = None,
    quiet: Quiet = False,
    seed: Seed = 0,
    fail_if_found: Fail = False,
) -> None:
    """Find what does not belong in a table, a series or a log."""
    import unusual

    with _progress(quiet) as progress:
        findings = unusual.scan(
            source,
            reference,
            method=method,
            alarm_rate=alarm_rate,
            fdr=fdr,
            budget=budget,
            id=id,
            group=group,
            columns=_cli_studies.listed(columns) or None,
            kind=kind,
            time=time,
            by=by,
            alarms_per_day=alarms_per_day,
            label=label,
            random_state=seed,
            progress=progress,
        )
    _hand_over(findings, html, csv, json, parquet, quiet)
    _exit(findings, fail_if_found)


@app.command()
def fit(
    reference: Annotated[str, typer.Argument(help="Data known to be normal.")],
    save: Annotated[str, typer.Option(help="File to keep the model in, such as m.unusual.")],
    method: MethodName = None,
    alarm_rate: Rate = None,
    id: Id = None,
    group: Group = None,
    columns: Columns = None,
    kind: Kind = None,
    time: Time = None,
    by: By = None,
    label: Label = None,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Learn what is usual from normal rows, and save it."""
    import unusual

    given = {} if alarm_rate is None else {"alarm_rate": alarm_rate}
    with _progress(quiet) as progress:
        model = unusual.fit(
            reference,
            method=method,
            id=id,
            group=group,
            columns=_cli_studies.listed(columns) or None,
            kind=kind,
            time=time,
            by=by,
            label=label,
            random_state=seed,
            progress=progress,
            **given,
        )
    model.save(save)
    if not quiet:
        for note in model.settings.get("reference_notes", []):
            typer.echo(f"note: {note}")
        typer.echo(f"saved {model.summary()}, to {save}")
        typer.echo(f"judge new data with: unusual score {save} NEW.csv")


@app.command()
def score(
    model: Annotated[str, typer.Argument(help="A model that unusual fit saved.")],
    source: Source,
    alarm_rate: Rate = None,
    fdr: FDR = None,
    budget: Budget = None,
    alarms_per_day: PerDay = None,
    html: Html = None,
    csv: Csv = None,
    json: Json = None,
    parquet: Parquet = None,
    quiet: Quiet = False,
    fail_if_found: Fail = False,
) -> None:
    """Judge new data with a saved model."""
    import unusual

    with _progress(quiet) as progress:
        options: dict[str, Any] = {"alarm_rate": alarm_rate, "fdr": fdr, "budget": budget}
        findings = unusual.score(model, source, alarms_per_day=alarms_per_day, progress=progress, **options)
    _hand_over(findings, html, csv, json, parquet, quiet)
    _exit(findings, fail_if_found)


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="Show the card of this method.")] = None,
    role: Annotated[str | None, typer.Option(help="Only methods of this role, such as detector.")] = None,
    data: Annotated[str | None, typer.Option(help="Only methods for this kind of data, such as table.")] = None,
) -> None:
    """List the methods, or show the card of one."""
    from unusual import catalogue

    if name is not None:
        card = catalogue.card(name)
        typer.echo(card.title)
        if card.text:
            typer.echo(f"\n{card.text}\n")
        for key in ("role", "data", "paper", "checkpoint"):
            typer.echo(f"{key + ':':12}{getattr(card, key)}")
        typer.echo(f"{'needs:':12}{', '.join(card.needs) or 'nothing beyond the base install'}")
        return
    found = catalogue.methods(role, data)
    if not found:
        from unusual.errors import InputError

        raise InputError(f"no method has role {role!r} and data {data!r}; list all with: unusual methods")
    for card in found:
        typer.echo(f"{card.name:24}{card.data:8}{card.role:12}{card.title.partition(': ')[2]}")


_cli_studies.register(app)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress bar on standard error, only where a person watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


def _hand_over(
    findings: Findings | SeriesFindings | LogFindings,
    html: str | None,
    csv: str | None,
    json: str | None,
    parquet: str | None,
    quiet: bool,
) -> None:
    """Write the files asked for, then print the findings: a reader of the output who leaves loses no file."""
    wanted = (
        (html, findings.to_html),
        (csv, findings.to_csv),
        (json, findings.to_json),
        (parquet, getattr(findings, "to_parquet", _no_parquet)),
    )
    written = [path for path, _ in wanted if path is not None]
    for path, write in wanted:
        if path is not None:
            write(path)
    if quiet:
        return
    from rich.console import Console

    from unusual.findings import Findings
    from unusual.report.study_text import write as write_study
    from unusual.report.text import table

    if isinstance(findings, Findings):
        table(findings, Console())
    else:
        write_study(findings.study(), Console())
    for path in written:
        typer.echo(f"wrote {path}")


def _no_parquet(_: str) -> None:
    from unusual.errors import InputError

    raise InputError("the findings of a log are no table of numbers; write them with --csv or --json")


def _exit(findings: Findings | SeriesFindings | LogFindings, fail_if_found: bool) -> None:
    if fail_if_found and len(findings):
        raise typer.Exit(3)


def main() -> None:
    """Run the command line; errors of the user end in one sentence and exit code 2."""
    import signal

    from unusual.errors import UnusualError

    signal.signal(signal.SIGINT, _interrupted)
    try:
        app()
    except UnusualError as error:
        print(f"unusual: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has gone; there is nobody left to tell
        sys.stderr.close()
        sys.exit(0)


def _interrupted(*_: object) -> None:
    print("unusual: interrupted; nothing half written is left behind", file=sys.stderr)
    sys.exit(130)

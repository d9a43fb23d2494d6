"""What both scripts share: options, progress, the summary in Chinese, and an error as one readable line."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console_issues import issues_app
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.directory import Finding
    from pipeline.flow import Progress
    from pipeline.runs import RouteReport, TrainReport
    from pipeline.tools import Knowledge

EXIT_DONE, EXIT_SOME_FAILED, EXIT_NOTHING_DONE = 0, 1, 2

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="分办：把群众来信分类、找承办单位、并成事项。",
)

app.add_typer(issues_app, name="issues")

_STAGES = {
    "read": "读取",
    "map": "分类与匹配",
    "issues": "归并事项",
    "tables": "写结果表",
    "workbook": "写工作簿",
    "segment": "分词",
    "learn": "训练",
    "match": "定阈值",
    "save": "保存模型",
}
_TARGETS = {"topic": "主题", "kind": "部门类别", "department": "承办单位", "lead": "主办"}
NOTES_SHOWN = 10

Inputs = Annotated[
    list[Path], typer.Argument(help="文件或文件夹：.csv .tsv .xlsx .xls .jsonl .parquet .docx .txt", show_default=False)
]
Columns = Annotated[str, typer.Option(help="认不出的表头写在这里，如 正文=问题描述,标题=事由", show_default=False)]
Encoding = Annotated[str | None, typer.Option(help="文本文件的编码，如 gb18030；不写则自动判断")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="设置文件（TOML）")]
DirectoryFolder = Annotated[str | None, typer.Option(help="职责目录文件夹；none 表示只按模型学到的分派")]
LexiconFile = Annotated[Path | None, typer.Option(help="主题词表 CSV")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="输出位置已有别的结果时，把旧的改名后再写")]
Quiet = Annotated[bool, typer.Option("--quiet", help="不显示进度和小结")]
AsJson = Annotated[bool, typer.Option("--json", help="小结用 JSON 输出，供程序读取")]


@app.command("route")
def route(
    inputs: Inputs,
    out: Annotated[Path, typer.Option(help="结果文件夹")],
    model: Annotated[str | None, typer.Option(help="模型名或文件夹；不写用 models/current 所指，否则 default")] = None,
    directory: DirectoryFolder = None,
    lexicon: LexiconFile = None,
    engine: Annotated[str, typer.Option(help="local 或 spark")] = "local",
    workers: Annotated[int, typer.Option(min=0, help="进程数；0 为每个核一个")] = 0,
    register: Annotated[Path | None, typer.Option(help="事项登记库（DuckDB 文件）")] = None,
    columns: Columns = "",
    encoding: Encoding = None,
    settings: SettingsFile = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """把来信分到主题、部门和事项，写出分派表和工作簿。"""
    with one_line_errors(as_json):
        from pipeline import flow
        from pipeline.bundle import find_bundle
        from pipeline.engines import open_engine
        from pipeline.reading import ReadOptions, parse_columns
        from pipeline.settings import load_settings

        chosen = load_settings(settings)
        if workers:
            chosen = replace(chosen, engine=replace(chosen.engine, workers=workers))
        opened = open_engine(engine, settings=chosen.engine)
        try:
            with _progress(quiet or as_json) as progress:
                report = flow.route(
                    inputs,
                    out,
                    knowledge=_knowledge(find_bundle(model), directory, lexicon),
                    engine=opened,
                    register=register,
                    options=ReadOptions(columns=parse_columns(columns), encoding=encoding),
                    settings=chosen,
                    overwrite=overwrite,
                    progress=progress,
                )
        finally:
            opened.close()
        _tell(report.run["counts"], lambda: _route_summary(report), quiet=quiet, as_json=as_json, out=out)
        failed = any(row["source_row"] == 0 for row in report.run["rejected"])
    raise typer.Exit(EXIT_SOME_FAILED if failed else EXIT_DONE)


@app.command("train")
def train(
    labelled: Annotated[list[Path], typer.Argument(help="带标签的文件或文件夹", show_default=False)],
    out: Annotated[Path, typer.Option(help="模型文件夹，如 models/2026-12")],
    topic_column: Annotated[str | None, typer.Option(help="主题所在的列")] = None,
    department_column: Annotated[str | None, typer.Option(help="承办单位所在的列")] = None,
    base: Annotated[str | None, typer.Option(help="在这个模型学过的数据上接着学")] = None,
    held_out: Annotated[Path | None, typer.Option(help="留出来考的件：有 submission_id 列的 CSV，不学，最后考")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="标签有矛盾或有读不出的行时停下")] = False,
    directory: DirectoryFolder = None,
    lexicon: LexiconFile = None,
    columns: Columns = "",
    encoding: Encoding = None,
    settings: SettingsFile = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """从带标签的来信训练模型，写出模型、成绩和模型说明。"""
    with one_line_errors(as_json):
        from pipeline import flow
        from pipeline.bundle import find_bundle
        from pipeline.reading import ReadOptions, parse_columns
        from pipeline.settings import load_settings

        with _progress(quiet or as_json) as progress:
            report = flow.train(
                labelled,
                out,
                base=find_bundle(base) if base is not None else None,
                knowledge=_knowledge(out, directory, lexicon),
                options=ReadOptions(
                    columns=parse_columns(columns),
                    encoding=encoding,
                    labels=True,
                    topic_column=topic_column,
                    department_column=department_column,
                ),
                settings=load_settings(settings) if settings is not None else None,
                held_out=held_out,
                strict=strict,
                overwrite=overwrite,
                progress=progress,
            )
        _tell(report.manifest["scores"], lambda: _train_summary(report), quiet=quiet, as_json=as_json, out=out)
    raise typer.Exit(EXIT_SOME_FAILED if report.failed_files else EXIT_DONE)


@app.command("check")
def check(
    directory: Annotated[Path | None, typer.Option(help="职责目录文件夹；不写则检查随带的目录")] = None,
    as_json: AsJson = False,
) -> None:
    """检查职责目录：哪个文件、哪一行有问题，怎么改。没有问题退出码 0，有要核对的 1，不改不能派单 2。"""
    with one_line_errors(as_json):
        from datetime import date

        from pipeline.directory import check_directory
        from pipeline.resources import shipped

        folder = directory if directory is not None else shipped("directory")
        findings = check_directory(folder, on=date.today())
        if as_json:
            print(json.dumps([{**vars(finding), "file": str(finding.file)} for finding in findings]))
        else:
            print("\n".join([*map(str, findings), _check_summary(folder, findings)]))
    stops = any(finding.stops for finding in findings)
    raise typer.Exit(EXIT_NOTHING_DONE if stops else EXIT_SOME_FAILED if findings else EXIT_DONE)


def run_command(command: Callable[..., None]) -> None:
    """Run one command as a script of its own, as route.py and train.py do."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(command)
    _main(single)


def main() -> None:
    """Run the console command `fenban`."""
    _main(app)


def _main(application: typer.Typer) -> None:
    # An office PC's console may be GBK: a character that it lacks must not end the run.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    application()


def _knowledge(bundle: Path, directory: str | None, lexicon: Path | None) -> Knowledge:
    from pipeline.tools import Knowledge

    known = Knowledge.shipped(bundle)
    if directory is not None:
        known = replace(known, directory=None if directory == "none" else Path(directory))
    return replace(known, lexicon=lexicon) if lexicon is not None else known


@contextmanager
def one_line_errors(as_json: bool) -> Iterator[None]:
    """Tell what was raised on purpose, and what the system refused, in one line, and end with EXIT_NOTHING_DONE."""
    try:
        yield
    except (PipelineError, OSError) as error:
        told = str(error)
        if isinstance(error, OSError):
            # A full disk, a folder without rights, a file that another program holds: nothing that fenban did.
            where = f"{error.filename}: " if error.filename else ""
            told = f"{where}{error.strerror or error}. Check the path, its rights and the free space, then run again."
        if as_json:
            print(json.dumps({"error": type(error).__name__, "message": told}))
        else:
            print(f"出错 {type(error).__name__}: {told}", file=sys.stderr)
        raise typer.Exit(EXIT_NOTHING_DONE) from error
    except KeyboardInterrupt:
        print("已中断。再运行同一条命令，会接着做下去。", file=sys.stderr)
        raise typer.Exit(EXIT_NOTHING_DONE) from None


@contextmanager
def _progress(silent: bool) -> Iterator[Progress]:
    """A line for the stage at work: rows, rows a second, time left. Shown once a stage has taken a second."""
    if silent:
        yield lambda stage, rows, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}"),
        TextColumn("还需"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, tuple[TaskID, float]] = {}
    last_print = [0.0]

    def tell(stage: str, rows: int, share: float | None) -> None:
        if stage not in tasks:
            for task, _ in tasks.values():
                shown.stop_task(task)
                shown.update(task, visible=False)
            tasks[stage] = (shown.add_task(_STAGES[stage], total=None, told=""), time.monotonic())
        task, start = tasks[stage]
        seconds = time.monotonic() - start
        rate = f"{rows:,} 件，每秒 {rows / seconds:,.0f} 件" if rows and seconds > 0 else ""
        shown.update(task, completed=share or 0.0, total=1.0 if share is not None else None, told=rate)
        # Where there is no terminal (a log file), a line every ten seconds instead of a moving bar.
        if not shown.console.is_terminal and seconds > 1 and time.monotonic() - last_print[0] > 10:
            last_print[0] = time.monotonic()
            left = f"，还需约 {seconds / share - seconds:.0f} 秒" if share else ""
            print(f"{_STAGES[stage]} {rate}{left}", file=sys.stderr)

    if shown.console.is_terminal:
        with shown:
            yield tell
    else:
        yield tell


def _tell(summary: Mapping[str, Any], text: Callable[[], str], *, quiet: bool, as_json: bool, out: Path) -> None:
    if as_json:  # JSON stays ASCII, because a console of another code page would garble it
        print(json.dumps({"out": str(out), **summary}))
    elif not quiet:
        print(text())


def _route_summary(report: RouteReport) -> str:
    counts = report.run["counts"]
    largest = list(counts["departments"].items())[:5]
    lines = [
        "这些文件以前已按同样的模型、目录和设置处理过，结果没有改动。" if report.finished_before else "处理完毕。",
        f"读入 {counts['read']:,} 件，未处理 {counts['rejected']:,} 条（行或文件，见工作簿“未处理”表）。",
        f"自动分派 {counts['auto']:,} 件，待核对 {counts['check']:,} 件，待人工复核 {counts['review']:,} 件。",
        f"归并为 {counts['issues']:,} 个事项，其中 {counts['issues_of_several']:,} 个有多件；"
        f"重复件 {counts['duplicates']:,} 件。",
        "承办最多的单位：" + ("，".join(f"{name} {rows:,} 件" for name, rows in largest) or "无"),
        *(f"注意：{note}" for note in report.run["notes"][:NOTES_SHOWN]),
        *(f"读不了：{row['source_file']}：{row['reason']}" for row in report.run["rejected"] if not row["source_row"]),
        f"工作簿：{report.out / 'routing_tables.xlsx'}",
        f"全部结果在：{report.out}",
    ]
    return "\n".join(lines)


def _check_summary(folder: Path, findings: list[Finding]) -> str:
    if not findings:
        return f"职责目录 {folder} 没有发现问题。"
    stopping = sum(finding.stops for finding in findings)
    return f"共 {len(findings)} 处：{stopping} 处不改不能派单，{len(findings) - stopping} 处要核对。"


def _train_summary(report: TrainReport) -> str:
    lines = [f"训练完毕，用了 {report.manifest['rows']:,} 件。"]
    for target, scores in report.manifest["scores"].items():
        lines.append(
            f"{_TARGETS[target]}：交叉验证 {scores['rows']:,} 件，准确率 {scores['accuracy']:.1%}，"
            f"宏平均 F1 {scores['macro_f1']:.3f}，校准误差 {scores['calibration_error']:.3f}。"
        )
    if "topic" in report.manifest.get("held_out", {}):
        held = report.manifest["held_out"]["topic"]
        lines.append(
            f"留出的 {held['rows']:,} 件：主题准确率 {held['accuracy']:.1%}，宏平均 F1 {held['macro_f1']:.3f}。"
        )
    lines += [f"注意：{note}" for note in report.notes[:NOTES_SHOWN]]
    if len(report.notes) > NOTES_SHOWN:
        lines.append(f"另有 {len(report.notes) - NOTES_SHOWN} 条注意事项没有列出；改好上面这些再训练，就会接着列出。")
    lines.append(f"模型在：{report.out}（说明见 {report.out / 'card.md'}）")
    return "\n".join(lines)

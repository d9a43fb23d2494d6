"""The command `fenban issues`: look at the register's issues, and decide about them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.register import Register, Signature

issues_app = typer.Typer(no_args_is_help=True, help="查看登记库里的事项；合并、拆分、固定、办结、重开。")

RegisterFile = Annotated[Path, typer.Option("--register", help="事项登记库（DuckDB 文件）", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="用 JSON 输出，供程序读取")]
By = Annotated[str, typer.Option("--by", help="经办人姓名，记入变动记录", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="理由，记入变动记录", show_default=False)]
Issue = Annotated[str, typer.Argument(help="事项编号", show_default=False)]
Issues = Annotated[list[str], typer.Argument(help="事项编号，可写几个", show_default=False)]
TEXT_SHOWN = 40  # characters of a submission's text where it has no title


@issues_app.command("list")
def list_command(
    register: RegisterFile,
    status: Annotated[str | None, typer.Option(help="只看这种状态：在办、已办结、再次反映、并入")] = None,
    limit: Annotated[int, typer.Option(min=1, help="最多列出几个")] = 20,
    as_json: AsJson = False,
) -> None:
    """列出事项，最近有来件的在前；已并入别的事项的不列，除非用 --status 并入。"""
    from pipeline.register import list_issues

    with _opened(register, as_json) as opened:
        found = list_issues(opened, status=status, limit=limit)
        lines = [_issue_line(issue) for issue in _records(found)]
        _tell({"issues": _plain(found)}, "\n".join(lines or ["没有这样的事项。"]), as_json)


@issues_app.command("show")
def show(issue: Issue, register: RegisterFile, as_json: AsJson = False) -> None:
    """看一个事项：状态、各件、变动记录。"""
    from pipeline.register import issue_details

    with _opened(register, as_json) as opened:
        details = issue_details(opened, issue)
        submissions, history = details.pop("submissions"), details.pop("history")
        lines = [_issue_line(details)]
        lines += [_submission_line(row) for row in _records(submissions)]
        lines += ["变动记录：", *(f"{event['issue_id']} {_event_line(event)}" for event in _records(history))]
        values = {name: _value(value) for name, value in details.items()}
        told = {**values, "submissions": _plain(submissions), "history": _plain(history)}
        _tell(told, "\n".join(lines), as_json)


@issues_app.command("history")
def history(
    register: RegisterFile,
    issue: Annotated[str | None, typer.Argument(help="事项编号；不写则看全部", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="最多列出最近几条")] = 50,
    as_json: AsJson = False,
) -> None:
    """看变动记录：何时新立、增加、并入、分出、办结，为什么，谁定的。"""
    from pipeline.register import issue_history

    with _opened(register, as_json) as opened:
        events = issue_history(opened, issue, limit=limit)
        lines = [f"{event['issue_id']} {_event_line(event)}" for event in _records(events)]
        _tell({"history": _plain(events)}, "\n".join(lines or ["还没有变动。"]), as_json)


@issues_app.command("merge")
def merge(
    issue: Issue,
    others: Annotated[list[str], typer.Argument(help="并进来的事项", show_default=False)],
    register: RegisterFile,
    by: By = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """把别的事项并入一个事项，今后也在一起。"""
    from pipeline.register import merge_issues

    with _opened(register, as_json) as opened:
        came = merge_issues(opened, issue, others, sign=_signature(by, reason))
        text = f"已把 {'、'.join(others)} 的 {came} 件并入 {issue}。今后归并都照此办理。"
        _tell({"issue_id": issue, "submissions": came}, text, as_json)


@issues_app.command("split")
def split(
    issue: Issue,
    submissions: Annotated[list[str], typer.Argument(help="拆出去的件的编号", show_default=False)],
    register: RegisterFile,
    by: By = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """从一个事项拆出几件，另立一个事项，今后不再并回。"""
    from pipeline.register import split_issue

    submissions = list(dict.fromkeys(submissions))
    with _opened(register, as_json) as opened:
        name = split_issue(opened, issue, submissions, sign=_signature(by, reason))
        text = f"已从 {issue} 拆出 {len(submissions)} 件，新事项编号 {name}。今后不再并回。"
        _tell({"issue_id": name, "submissions": len(submissions)}, text, as_json)


@issues_app.command("pin")
def pin(
    issue: Issue,
    register: RegisterFile,
    submissions: Annotated[
        list[str] | None, typer.Argument(help="归这个事项的件；不写则固定整个事项", show_default=False)
    ] = None,
    by: By = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """固定一个事项（不与别的事项合并，也不拆开），或把几件固定在这个事项里。"""
    from pipeline.register import pin_issue, pin_submissions

    with _opened(register, as_json) as opened:
        sign = _signature(by, reason)
        if submissions:
            submissions = list(dict.fromkeys(submissions))
            came = pin_submissions(opened, issue, submissions, sign=sign)
            text = f"已把 {len(submissions)} 件固定在 {issue} 里，其中 {came} 件从别的事项移来。"
            _tell({"issue_id": issue, "submissions": len(submissions), "came": came}, text, as_json)
        else:
            pin_issue(opened, issue, sign=sign)
            _tell({"issue_id": issue}, f"已固定 {issue}：新来件可以进来，别的事项不再与它合并。", as_json)


@issues_app.command("unpin")
def unpin(issue: Issue, register: RegisterFile, by: By = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """解除固定：这个事项由机器重新归并，人工合并和固定的约束都取消；拆分的仍不并回。"""
    from pipeline.register import unpin_issue

    with _opened(register, as_json) as opened:
        unpin_issue(opened, issue, sign=_signature(by, reason))
        _tell({"issue_id": issue}, f"已解除 {issue} 的固定。", as_json)


@issues_app.command("close")
def close(
    issues: Issues,
    register: RegisterFile,
    on: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="办结日期；不写是今天")] = None,
    by: By = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """办结事项。以后又有新来件，状态会变成再次反映。"""
    from pipeline.register import close_issues

    with _opened(register, as_json) as opened:
        day = on.date() if on is not None else dt.date.today()
        close_issues(opened, issues, on=day, sign=_signature(by, reason))
        _tell({"issues": issues, "closed_at": day.isoformat()}, f"已办结 {'、'.join(issues)}（{day}）。", as_json)


@issues_app.command("reopen")
def reopen(issues: Issues, register: RegisterFile, by: By = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """重开已办结或再次反映的事项，状态变回在办。"""
    from pipeline.register import reopen_issues

    with _opened(register, as_json) as opened:
        reopen_issues(opened, issues, sign=_signature(by, reason))
        _tell({"issues": issues}, f"已重开 {'、'.join(issues)}。", as_json)


@contextmanager
def _opened(path: Path, as_json: bool) -> Iterator[Register]:
    # The console imports this file, so it can be imported only when a command runs.
    from pipeline.console import one_line_errors
    from pipeline.register import open_register

    with one_line_errors(as_json), open_register(path, begin=False) as register:
        yield register


def _signature(by: str, reason: str) -> Signature:
    from pipeline.register import Signature

    return Signature(dt.datetime.now(), by, reason)


def _tell(told: Mapping[str, Any], text: str, as_json: bool) -> None:
    # JSON stays ASCII, because a console of another code page would garble it.
    print(json.dumps(told) if as_json else text)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in _records(frame)]


def _value(value: Any) -> Any:
    """A value that JSON can say; times as text, nothing where a value is missing."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _day(value: Any) -> str:
    value = _value(value)
    return value[:10] if value else "日期不详"


def _issue_line(issue: Mapping[str, Any]) -> str:
    if issue["merged_into"]:
        return f"{issue['issue_id']} [并入 {issue['merged_into']}]"
    status = issue["status"] + ("，已固定" if issue["pinned"] else "")
    if issue["status"] == "已办结":
        status += f"，{_day(issue['closed_at'])}"
    department = f"，{issue['department']}" if _value(issue["department"]) else ""
    return (
        f"{issue['issue_id']} [{status}] {issue['title']}：{issue['size']} 件 {int(issue['people'])} 人，"
        f"最近 {_day(issue['last_at'])}{department}"
    )


def _submission_line(row: Mapping[str, Any]) -> str:
    title = row["title"] or row["text"][:TEXT_SHOWN]
    marks = "".join(mark for mark, said in (("（人工定的）", row["tied"]), ("（再次反映）", row["reopened"])) if said)
    return f"  {row['submission_id']} {_day(row['submitted_at'])} {title}{marks}"


def _event_line(event: Mapping[str, Any]) -> str:
    other = f" {event['other_issue']}" if _value(event["other_issue"]) else ""
    by = f"，{event['by']}" if event["by"] else ""
    reason = f"：{event['reason']}" if event["reason"] else ""
    at = event["at"].strftime("%Y-%m-%d %H:%M")
    return f"{at} {event['event']}{other}（{event['submissions']} 件{by}）{reason}"

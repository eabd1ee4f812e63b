"""./dev zoo --together: are two mistakes in one service both among the first three findings?"""

from cases import TOGETHER
from runner import Run, kept_report, strengths
from score import both_told, ratio, share

LOG = "together"
REPEAT = 1
CASES = TOGETHER
BY_NAME = {case.name: case for case in CASES}


def strengths_of(case):
    return strengths(case)


def work(case, missing, url, scratch):
    for strength in missing:
        run = Run(case, strength, url, scratch).carry_out()
        yield told({"case": case.name, "strength": strength, "run": run})


def told(row):
    report = kept_report(row["run"])
    return {"case": row["case"], "strength": row["strength"], "run": row["run"],
            "validity": report["validity"]["status"],
            "findings": [finding["cause"] for finding in report["findings"]],
            "ledger": {line["key"]: round(line["ms"], 2) for line in report["ledger"]},
            "total_ms": report["ledger_summary"]["total_ms"]}


def is_right(row):
    return both_told(BY_NAME[row["case"]], row["findings"])


def wanted(row):
    case = BY_NAME[row["case"]]
    return f"{case.causes[0]} + {case.also[0]}"


def first_three(row):
    return ", ".join(row["findings"][:3]) or "nothing"


def line(row):
    mark = "ok   " if is_right(row) else "WRONG"
    return f"{mark} {row['case']}: {first_three(row)}"


def summary(rows):
    return [f"both mistakes told     {share(sum(map(is_right, rows)), len(rows))}"
            " among the first three"]


def figures(rows):
    return {"together": len(rows), **ratio("together_top3", sum(map(is_right, rows)), len(rows))}


def table(rows):
    for row in rows:
        mark = " " if is_right(row) else "!"
        yield f"{mark} {row['case']:28} {wanted(row):52} {first_three(row)}"


def page(rows):
    lines = ["Two mistakes in one service, each of which takes a good part of every request: both "
             "have to be among the first three findings.", "",
             "| case | two mistakes | first three findings | both |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row['case']} | {wanted(row)} | {first_three(row)} | "
                     f"{'yes' if is_right(row) else '**no**'} |")
    return lines

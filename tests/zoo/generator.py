"""./dev zoo --generator: is a load generator that cannot keep up told, and nobody blamed?"""

from cases import GENERATOR
from runner import Run, kept_report, strengths
from score import NOTHING, ratio, share

LOG = "generator"
REPEAT = 1
CASES = GENERATOR
BY_NAME = {case.name: case for case in CASES}


def strengths_of(case):
    return strengths(case)


def work(case, missing, url, scratch):
    for strength in missing:
        run = Run(case, strength, url, scratch).carry_out()
        yield told({"case": case.name, "strength": strength, "run": run})


def told(row):
    report = kept_report(row["run"])
    bottleneck = report["verdict"]["bottleneck"]
    return {"case": row["case"], "strength": row["strength"], "run": row["run"],
            "validity": report["validity"]["status"], "label": report["verdict"]["label"],
            "named": bottleneck["cause"] if bottleneck else NOTHING,
            "why": " ".join(report["validity"]["reasons"])}


def is_right(row):
    return row["validity"] == "generator_limited" and row["named"] == NOTHING


def line(row):
    mark = "ok   " if is_right(row) else "WRONG"
    return f"{mark} {row['case']}: {row['validity']}, {row['named']}: {row['why']}"


def summary(rows):
    return [f"generator told         {share(sum(map(is_right, rows)), len(rows))}"]


def figures(rows):
    return {"generators": len(rows),
            **ratio("generator_caught", sum(map(is_right, rows)), len(rows))}


def table(rows):
    for row in rows:
        mark = " " if is_right(row) else "!"
        yield f"{mark} {row['case']:28} {row['validity']:18} {row['named']}"


def page(rows):
    lines = ["Healthy services and a load generator that is kept from its work. The run has to be "
             "`generator_limited`, and nothing may be named.", "",
             "| case | validity | named | why |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row['case']} | {row['validity']} | {row['named']} | {row['why']} |")
    return lines

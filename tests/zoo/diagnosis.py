"""./dev zoo: is the right cause named for each mistake, and none for the healthy services?"""

import collections
import time

from cases import CASES
from runner import MOST_STOLEN, Run, directory, kept_report, stolen_in, strengths
from score import NOTHING, ratio, right_cause, share

LOG = "results"
REPEAT = 10
BY_NAME = {case.name: case for case in CASES}


def strengths_of(case):
    return ("as it is",) if case.is_control else strengths(case)


def work(case, missing, url, scratch, **how):
    for strength in missing:
        run = Run(case, strength, url, directory(scratch, strength)).carry_out(**how)
        yield told({"case": case.name, "strength": strength, "run": run})


def told(row):
    begun = time.monotonic()
    report = kept_report(row["run"])
    diagnosis_s = time.monotonic() - begun
    bottleneck = report["verdict"]["bottleneck"]
    return {"case": row["case"], "strength": row["strength"], "run": row["run"],
            "validity": report["validity"]["status"], "label": report["verdict"]["label"],
            "stolen": stolen_in(report), "named": bottleneck["cause"] if bottleneck else NOTHING,
            "findings": [finding["cause"] for finding in report["findings"]],
            "closes": report["ledger_summary"]["closes"],
            "total_ms": report["ledger_summary"]["total_ms"],
            "conclusion": report["verdict"]["conclusion"], "diagnosis_s": round(diagnosis_s, 3)}


def is_right(row):
    return right_cause(BY_NAME[row["case"]], row["named"])


def blames_nobody_else(row):
    """All that can be asked of a run during which the machine did not have its processors."""
    return row["stolen"] > MOST_STOLEN and row["named"] in (NOTHING, "host-cpu-steal")


def line(row):
    mark = "ok   " if is_right(row) else "WRONG"
    total = "–" if row["total_ms"] is None else f"{row['total_ms']:.1f} ms"
    return f"{mark} {row['case']} ({row['strength']}): {row['named']}, {row['label']}, {total}"


def score(rows):
    faults = [r for r in rows if not BY_NAME[r["case"]].is_control]
    controls = [r for r in rows if BY_NAME[r["case"]].is_control]
    closed = [r for r in faults if not BY_NAME[r["case"]].hides and r["closes"] is not None]
    return {
        "runs": len(rows), "faults": len(faults), "controls": len(controls),
        "top1_hits": sum(is_right(r) for r in faults),
        "top3_hits": sum(any(right_cause(BY_NAME[r["case"]], cause)
                             for cause in [r["named"], *r["findings"][:3]]) for r in faults),
        "blamed": sum(not is_right(r) for r in controls),
        "ledgers": len(closed), "ledgers_closed": sum(r["closes"] >= 0.8 for r in closed),
        "slowest_diagnosis_s": max((r["diagnosis_s"] for r in rows), default=0)}


def summary(rows):
    got = score(rows)
    return [
        f"right cause first      {share(got['top1_hits'], got['faults'])}",
        f"among the first three  {share(got['top3_hits'], got['faults'])}",
        f"blamed for nothing     {share(got['blamed'], got['controls'])}",
        f"ledger closes to 80%   {share(got['ledgers_closed'], got['ledgers'])}"
        " of the faults that do not hide",
        f"slowest diagnosis      {got['slowest_diagnosis_s']:.2f} s",
    ]


def figures(rows):
    got = score(rows)
    return {"runs": got["runs"], "slowest_diagnosis_s": got["slowest_diagnosis_s"],
            **ratio("top1", got["top1_hits"], got["faults"]),
            **ratio("top3", got["top3_hits"], got["faults"]),
            **ratio("false_blame", got["blamed"], got["controls"]),
            **ratio("ledger_closes", got["ledgers_closed"], got["ledgers"])}


def case_rows(rows):
    by_case = collections.defaultdict(list)
    for row in rows:
        by_case[row["case"], row["strength"]].append(row)
    for case in CASES:
        for strength in strengths_of(case):
            runs = by_case.get((case.name, strength))
            if not runs:
                continue
            named = collections.Counter(r["named"] for r in runs)
            closes = sorted(r["closes"] for r in runs if r["closes"] is not None)
            yield (case, strength, len(runs), sum(map(is_right, runs)),
                   ", ".join(f"{cause} {count}" for cause, count in named.most_common()),
                   closes[len(closes) // 2] if closes else None)


def confusion(rows):
    pairs = collections.Counter()
    for row in rows:
        case = BY_NAME[row["case"]]
        wanted = case.causes[0] if case.causes else NOTHING
        pairs[wanted, wanted if is_right(row) else row["named"]] += 1
    return pairs


def table(rows):
    for case, strength, count, hits, named, closes in case_rows(rows):
        mark = " " if hits == count else "!"
        closed = "" if closes is None else f"closes {closes:.0%}"
        yield f"{mark} {case.name:28} {strength:8} {hits}/{count}  {named:50} {closed}"
    wrong = {pair: count for pair, count in confusion(rows).items() if pair[0] != pair[1]}
    if wrong:
        yield "\ntaken for another:"
        for (wanted, named), count in sorted(wrong.items(), key=lambda entry: -entry[1]):
            yield f"  {count:3} × {wanted} as {named}"


def page(rows):
    lines = ["Shares with Wilson's 95% interval. A control may be judged slow; what must not "
             "happen is that a cause is named for it.", "",
             "| case | strength | right | named | ledger closes (median) |",
             "|---|---|--:|---|--:|"]
    for case, strength, count, hits, named, closes in case_rows(rows):
        closed = "–" if closes is None else f"{closes:.0%}"
        lines.append(f"| {case.name} | {strength} | {hits}/{count} | {named} | {closed} |")
    lines += ["", "### Taken for another", "", "| is | was named | runs |", "|---|---|--:|"]
    for (wanted, named), count in sorted(confusion(rows).items()):
        if wanted != named:
            lines.append(f"| {wanted} | {named} | {count} |")
    return lines

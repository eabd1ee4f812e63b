"""./dev zoo --pairs: does `plumb compare` name the layer that a mistake made slower?"""

from cases import FAULTS
from runner import Run, compared, directory, strengths
from score import NOTHING, ratio, right_cause, right_line, share

LOG = "pairs"
REPEAT = 1
CASES = [case for case in FAULTS if case.lines]
BY_NAME = {case.name: case for case in CASES}
STEADY_S = 32  # a comparison takes 30 s to tell a change from chance


def strengths_of(case):
    return strengths(case)


def work(case, missing, url, scratch):
    off = Run(case, "off", url, directory(scratch, "off"), STEADY_S)
    without = off.carry_out()
    for strength in missing:
        run = off.at(strength, directory(scratch, strength)).carry_out()
        yield told({"case": case.name, "strength": strength, "off": without, "run": run})


def told(row):
    comparison = compared((row["off"],), row["run"])
    responsible = comparison["ledger"]["responsible"]
    explanation = comparison["ledger"]["explanation"]
    return {"case": row["case"], "strength": row["strength"], "off": row["off"],
            "run": row["run"], "named": responsible["key"] if responsible else NOTHING,
            "share": responsible["share"] if responsible else None,
            "cause": explanation["cause"] if explanation else NOTHING,
            "difference_ms": comparison["ledger"]["difference_ms"],
            "label": comparison["verdict"]["label"],
            "insufficient": comparison["verdict"]["insufficient"],
            "conclusion": comparison["verdict"]["conclusion"]}


def is_right_line(row):
    return right_line(BY_NAME[row["case"]], row["named"])


def is_right(row):
    """What is told last, and most, is the cause; where none is told, the line."""
    if row["cause"] == NOTHING:
        return is_right_line(row)
    return right_cause(BY_NAME[row["case"]], row["cause"])


def part(row):
    """The named line's part of the difference."""
    return "–" if row["share"] is None else f"{row['share']:.0%}"


def line(row):
    mark = "ok   " if is_right(row) else "WRONG"
    why = f" ({row['insufficient']})" if row["insufficient"] else ""
    return (f"{mark} {row['case']} ({row['strength']}): {row['named']}, {part(row)} of "
            f"{row['difference_ms']:+.2f} ms, cause {row['cause']}{why}")


def summary(rows):
    return [f"layer named right      {share(sum(map(is_right, rows)), len(rows))}",
            f"by its line alone      {share(sum(map(is_right_line, rows)), len(rows))}"]


def figures(rows):
    return {"pairs": len(rows), **ratio("pair_layer", sum(map(is_right, rows)), len(rows)),
            **ratio("pair_line", sum(map(is_right_line, rows)), len(rows))}


def table(rows):
    for row in rows:
        mark = " " if is_right(row) else "!"
        yield (f"{mark} {row['case']:28} {row['strength']:8} {row['named']:34} {part(row):>5} of "
               f"{row['difference_ms']:+10.2f} ms  {row['cause']:28} "
               f"wanted: {', '.join(BY_NAME[row['case']].lines)}")


def page(rows):
    lines = ["Each mistake off, then on, at the same load: which line of the time ledger "
             "[`plumb compare`](compare.md#which-layer) names for the difference, and which cause "
             "behind it. Right is the cause, or where none is told a line that the mistake makes "
             "longer, set down before the runs; `database.` stands for any line of that layer.", "",
             "| case | strength | line | of the difference | difference of the mean | cause | "
             "lines that would be right |", "|---|---|---|--:|--:|---|---|"]
    for row in rows:
        line_told = row["named"] if is_right_line(row) else f"**{row['named']}**"
        cause = row["cause"] if is_right(row) or row["cause"] == NOTHING else f"**{row['cause']}**"
        lines.append(f"| {row['case']} | {row['strength']} | {line_told} | {part(row)} | "
                     f"{row['difference_ms']:+.1f} ms | {cause} | "
                     f"{', '.join(BY_NAME[row['case']].lines)} |")
    return lines

"""./dev zoo --same: does `plumb compare` find a change between runs of the same thing?"""

import collections
import functools
import itertools

from cases import CASES as ALL
from runner import Run, compared, directory
from score import ratio, share

LOG = "same"
REPEAT = 5  # ten pairs of each case
NAMES = ("shop-fine", "orders-fine", "notes-fine", "busy-but-fine", "commits-that-are-needed",
         "orders-event-loop", "shop-lock", "orders-pool", "shop-sqlite-writer", "shop-downstream")
CASES = [case for case in ALL if case.name in NAMES]
STEADY_S = 60


def strengths_of(case):
    return ("as it is",) if case.is_control else ("weak",)


def work(case, missing, url, scratch):
    for strength in missing:
        run = Run(case, strength, url, directory(scratch, strength), STEADY_S).carry_out()
        yield told({"case": case.name, "strength": strength, "run": run})


def told(row):
    return {name: row[name] for name in ("case", "strength", "run")}


def line(row):
    return f"{row['case']}: {row['run']}"


@functools.lru_cache(maxsize=None)
def flagged(bases, run):
    """The figures that are told to have changed."""
    comparison = compared(bases, run)
    return tuple(change["name"]
                 for change in (*comparison["client"], *comparison["ledger"]["lines"],
                                *comparison["queries"])
                 if change["verdict"] in ("improved", "regressed"))


def runs_of(rows):
    by_case = collections.defaultdict(list)
    for row in rows:
        by_case[row["case"]].append(row["run"])
    return by_case


def by_pair(runs):
    """What is flagged in each pair, the earlier run as the base."""
    return [flagged((base,), run) for base, run in itertools.combinations(runs, 2)]


def by_others(runs):
    """What is flagged of each run against all others of its case."""
    return [flagged(tuple(other for other in runs if other != run), run)
            for run in (runs if len(runs) > 2 else ())]


def judged(rows):
    pairs = []
    others = []
    for runs in runs_of(rows).values():
        pairs += by_pair(runs)
        others += by_others(runs)
    return pairs, others


def summary(rows):
    pairs, others = judged(rows)
    return [f"pairs flagged          {share(sum(map(bool, pairs)), len(pairs))}",
            f"against all others     {share(sum(map(bool, others)), len(others))}"]


def figures(rows):
    pairs, others = judged(rows)
    return {**ratio("same_pairs_flagged", sum(map(bool, pairs)), len(pairs)),
            **ratio("same_flagged_against_others", sum(map(bool, others)), len(others))}


def counted(all_flagged):
    names = collections.Counter(name for names in all_flagged for name in names)
    return ", ".join(f"{name} {count}" for name, count in names.most_common(3))


def table(rows):
    for name, runs in runs_of(rows).items():
        pairs, others = by_pair(runs), by_others(runs)
        yield (f"{'!' if any(pairs) else ' '} {name:28} {sum(map(bool, pairs))}/{len(pairs)} pairs, "
               f"{sum(map(bool, others))}/{len(others)} against the others  {counted(pairs)}")


def page(rows):
    lines = [f"Runs of {STEADY_S} s of the same service with the same load, each with a service "
             "started anew: every pair of a case held against each other, and every run against all "
             "others of its case. Flagged is a pair in which any figure at all (of the client, the "
             "ledger, the queries) is told to have changed.", "",
             "| case | pairs flagged | flagged against the others | among what was flagged |",
             "|---|--:|--:|---|"]
    for name, runs in runs_of(rows).items():
        pairs, others = by_pair(runs), by_others(runs)
        lines.append(f"| {name} | {sum(map(bool, pairs))}/{len(pairs)} | "
                     f"{sum(map(bool, others))}/{len(others)} | {counted(pairs) or '–'} |")
    return lines

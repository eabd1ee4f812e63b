"""docs/zoo.md, from the results that there are."""

import collections

import checks
import diagnosis
import generator
import pairs
import same
import together
from runner import OUT, ROOT, rows_of

HEAD = ["# The zoo", "",
        "Real services under real load, each with one mistake at two strengths, and healthy ones "
        "([tests/zoo/cases.py](../tests/zoo/cases.py)). Each section was written by the command "
        "that it begins with."]

SECTIONS = [(diagnosis, "One mistake", ""), (pairs, "Off, then on", " --pairs"),
            (same, "The same twice", " --same"),
            (together, "Two mistakes at once", " --together"),
            (generator, "The generator is the limit", " --generator"),
            (checks, "The commands", " --checks")]


def is_complete(mode, rows):
    """Whether every case of the mode was run."""
    return {row["case"] for row in rows} == {case.name for case in mode.CASES}


def repeated(rows):
    return min(collections.Counter((row["case"], row["strength"]) for row in rows).values())


def section(mode, title, flag, rows):
    repeat = "" if mode is checks else f" --repeat {repeated(rows)}"
    return ["", f"## {title}", "", "```", f"$ ./dev zoo{flag}{repeat}", *mode.summary(rows), "```",
            "", *mode.page(rows)]


def standing(page, title):
    """The section of that title as the page has it, or nothing."""
    _, found, rest = page.partition(f"\n## {title}\n")
    return ["", f"## {title}", *rest.partition("\n## ")[0].rstrip().split("\n")] if found else []


def write():
    """Sections of modes that were not run here stay as they are."""
    path = ROOT / "docs/zoo.md"
    old = path.read_text() if path.exists() else ""
    lines = list(HEAD)
    for mode, title, flag in SECTIONS:
        rows = rows_of(OUT / f"{mode.LOG}.jsonl")
        lines += section(mode, title, flag, rows) if is_complete(mode, rows) else \
            standing(old, title)
    path.write_text("\n".join(lines) + "\n")

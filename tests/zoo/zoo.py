#!/usr/bin/env python3
"""Holds plumb against real services that each have one known mistake, and keeps score.

usage: ./dev zoo [--pairs | --same | --together | --generator | --checks]
                 [--repeat N] [--only NAME]... [--quick] [--resume | --again] [--list]

  ./dev zoo              each mistake at two strengths, and controls with nothing wrong: is the
                         right cause named, and nobody for nothing? 10 repetitions: about two and
                         a half hours
  ./dev zoo --pairs      each mistake off, then on: does `plumb compare` name the layer that it is
                         in? About an hour
  ./dev zoo --same       the same, several times: does `plumb compare` find a change where there is
                         none? About an hour
  ./dev zoo --together   two mistakes in one service: are both among the first three findings?
  ./dev zoo --generator  a load generator that cannot keep up: does the run say so, and blame
                         nobody?
  ./dev zoo --checks     the command printed with each finding, run as printed under the same load:
                         does it show what it claims? All output in build/zoo/checks.txt; exit
                         code 1 when one does not
  ./dev zoo --only shop-lock --repeat 1   what the other cases gave is kept
  ./dev zoo --resume       goes on where the mode was interrupted
  ./dev zoo --again        judges the runs of the mode that are kept once more, with the rules of
                           this build, and writes the figures again; not for --checks

A run during which the hypervisor kept more than a tenth of the processors is thrown away and run
again, up to 12 times. The cases are in tests/zoo/cases.py. Every run's answer goes to build/zoo/*.jsonl, the figures
(runs, top1, top3, false_blame, pair_layer, together_top3, generator_caught, checks_show, ...) into
build/bench/zoo.json beside those of the other modes and, when all cases of a mode were run, its
section into docs/zoo.md. The modes run each case once (--same: five times) unless --repeat says otherwise.
"""

import argparse
import functools
import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import checks  # noqa: E402
import diagnosis  # noqa: E402
import generator  # noqa: E402
import page  # noqa: E402
import pairs  # noqa: E402
import same  # noqa: E402
import together  # noqa: E402
from runner import OUT, ROOT, Journal, carry_out, die, jobs_of, say, why_skipped  # noqa: E402

MODES = {"pairs": pairs, "same": same, "together": together, "generator": generator, "checks": checks}


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group()
    for name, mode in MODES.items():
        modes.add_argument("--" + name, dest="mode", action="store_const", const=mode,
                           default=diagnosis)
    modes.add_argument("--quick", action="store_true",
                       help="a few cases, once, at the strong side")
    parser.add_argument("--repeat", type=int, metavar="N")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true")
    kept.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def list_cases(mode):
    for case in mode.CASES:
        say(f"{case.name:28} {', '.join(case.causes[:1] + case.also[:1]) or 'nothing'}")


def chosen(mode, only):
    known = {case.name for case in mode.CASES}
    for name in only:
        if name not in known:
            die(f"this mode has no case '{name}': see --list")
    return [case for case in mode.CASES if not only or case.name in only]


def runnable(cases):
    out = []
    for case in cases:
        reason = why_skipped(case)
        if reason:
            say(f"skipped {case.name}: {reason}")
        else:
            out.append(case)
    return out


def write_figures(figures):
    """Beside what the other modes have found."""
    path = ROOT / "build/bench/zoo.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | figures, indent=1) + "\n")


def judge_again(mode, journal):
    if mode is checks:
        die("commands are checked while the load runs: --again is not for --checks")
    journal.replace([mode.told(row) for row in journal.rows])
    show(mode, journal.rows)


def run(mode, cases, strengths_of, repeat, journal, work):
    jobs = list(jobs_of(cases, strengths_of, repeat, journal.rows))
    say(f"{sum(len(missing) for _, missing in jobs)} runs of {len(cases)} cases")
    try:
        carry_out(jobs, journal, work, mode.line)
    except KeyboardInterrupt:
        say("\ninterrupted; --resume goes on")
    show(mode, journal.rows)


def show(mode, rows):
    say()
    for line in mode.table(rows):
        say(line)
    say()
    for line in mode.summary(rows):
        say(line)


def quick():
    cases = runnable([case for case in diagnosis.CASES if case.quick])
    journal = Journal(OUT / "quick.jsonl", anew=[case.name for case in cases])
    run(diagnosis, cases, lambda case: diagnosis.strengths_of(case)[-1:], 1, journal,
        functools.partial(diagnosis.work, most_tries=2))
    sys.exit(0 if all(diagnosis.is_right(row) or diagnosis.blames_nobody_else(row)
                      for row in journal.rows) else 1)


def main():
    # As an interruption, so that whatever was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = parse()
    mode = options.mode
    if options.list:
        return list_cases(mode)
    if options.quick:
        quick()
    cases = chosen(mode, options.only)
    goes_on = options.resume or options.again
    journal = Journal(OUT / f"{mode.LOG}.jsonl",
                      anew=[] if goes_on else [case.name for case in cases])
    if options.again:
        judge_again(mode, journal)
    else:
        run(mode, runnable(cases), mode.strengths_of, options.repeat or mode.REPEAT, journal,
            mode.work)
    write_figures(mode.figures(journal.rows))
    if page.is_complete(mode, journal.rows):
        page.write()
    if mode is checks and not all(row["shows"] for row in journal.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times the report of a long run: an hour at 1 Hz with 1,000 series, unless told otherwise.

usage: ./dev bench-report [--seconds N] [--series N] [--rounds N] [--check]

Writes a run file as a run would, then times the facts, the diagnosis and the HTML page apart, the
best of several rounds each: processor time of the one thread that does it, and beside it the time
on the clock, which a busy machine stretches. Then whole `plumb report` commands, on the clock.
Facts computed twice must be the same to the last bit, and so must the CSV that two commands print.
Writes build/bench/report.json, one flat object. With --check, exits 1 where facts, diagnosis or
page takes a second of processor time or more, or the page is larger than 500 KB.
"""
import argparse
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
SOAK = BUILD / "tests/soak_report"
STEPS = {"facts": "facts", "diagnose": "diagnosis", "html": "HTML page"}  # that have a limit
OTHER_STEPS = {"read": "reading the run file", "build": "report.json, with both"}
ALL_STEPS = {**STEPS, **OTHER_STEPS}


def run(words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"bench-report: {words[0]} ended with {done.returncode}")
    return done.stdout


def command(file, form):
    """Seconds of one whole `plumb report`, and what it printed."""
    began = time.monotonic()
    text = run([BUILD / "bin/plumb", "report", file, "--format", form])
    return time.monotonic() - began, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit is passed")
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="plumb-bench-"))
    try:
        file = directory / "20261120T104512Z-50a4.plumb"
        run([SOAK, "write", file, options.seconds, options.series])
        rounds = [json.loads(run([SOAK, "time", file])) for _ in range(options.rounds)]
        best = {step: min(r[step]["processor_seconds"] for r in rounds) for step in ALL_STEPS}
        clock = {step: min(r[step]["seconds"] for r in rounds) for step in ALL_STEPS}
        commands = {form: command(file, form) for form in ("json", "html", "csv")}
        digests = {hashlib.sha256(command(file, "csv")[1]).hexdigest(),
                   hashlib.sha256(commands["csv"][1]).hexdigest()}
        mib = file.stat().st_size / 2**20
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    same = all(r["same_facts"] for r in rounds) and len(digests) == 1
    last = rounds[-1]
    print(f"{options.seconds} s of {last['series']} series, {last['facts_count']} facts, "
          f"a run file of {mib:.0f} MiB; cause: {last['cause']}")
    for step, title in ALL_STEPS.items():
        print(f"  {title:<28} {best[step]:>7.2f} s of a processor, {clock[step]:>6.2f} s in all")
    for form, (seconds, _) in commands.items():
        print(f"  {'plumb report --format ' + form:<28} {seconds:>33.2f} s in all")
    print(f"  {'page':<28} {last['html_bytes'] / 1024:>7.0f} KiB")
    print(f"  facts computed twice are {'the same' if same else 'NOT the same'}")
    figures = {
        "facts_s": round(best["facts"], 4),
        "diagnose_s": round(best["diagnose"], 4),
        "report_s": round(best["html"], 4),
        "build_s": round(best["build"], 4),
        "read_s": round(best["read"], 4),
        "facts_clock_s": round(clock["facts"], 4),
        "diagnose_clock_s": round(clock["diagnose"], 4),
        "report_clock_s": round(clock["html"], 4),
        "command_json_s": round(commands["json"][0], 4),
        "command_html_s": round(commands["html"][0], 4),
        "command_csv_s": round(commands["csv"][0], 4),
        "html_kib": round(last["html_bytes"] / 1024, 1),
        "run_file_mib": round(mib, 1),
        "same_facts": same,
        "series": last["series"],
        "seconds": options.seconds,
    }
    result = ROOT / "build/bench/report.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwritten: {result.relative_to(ROOT)}")
    slow = [title for step, title in STEPS.items() if best[step] >= 1]
    if not same or (options.check and (slow or figures["html_kib"] > 500)):
        sys.exit(1)


main()

#!/usr/bin/env python3
"""Measures how exactly `plumb capacity` finds the capacity of servers that have a known one.

usage: ./dev bench-capacity [--seeds N] [--first N] [--max-time SECONDS]

Each seed draws a server: 2 to 32 workers that hold each request for a fixed time, so that workers
over time, from 150/s to 3,000/s, is its capacity by construction (tests/integration/paced_server.cc).
Prints each result with its error and writes build/bench/capacity.json, one flat object: runs,
within_5_percent, median_error, worst_error (shares of the capacity), interval_holds (how many 95%
intervals hold the true value) and seconds; each search's own result is kept as
build/bench/capacity/<seed>.json. A search without a result counts as a run, and not as one
within 5 percent. Twenty seeds take a quarter of an hour.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUMB = ROOT / "build/release/bin/plumb"
SERVER = ROOT / "build/release/tests/paced_server"
LOWEST, HIGHEST = 150, 3000
WITHIN = 0.05
PRIORITY = -5

PLAN = """
name: bench-capacity
target:
  url: http://127.0.0.1:{port}
  start: ["{server}", "{port}", "{workers}", "{service_us}"]
load:
  rate: 100/s
  requests: [{{name: home, path: /}}]
plugins: {{}}
slos:
  - {{p99: {limit_ms}ms, error_rate: 1%}}
"""


def say(text=""):
    print(text, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def drawn_server(seed):
    """Workers and microseconds of each request."""
    draw = random.Random(seed)
    workers = draw.choice([2, 4, 8, 16, 32])
    capacity = math.exp(draw.uniform(math.log(LOWEST), math.log(HIGHEST)))
    return workers, round(workers / capacity * 1e6)


def raise_priority():
    """Above what else runs here, where that is allowed: a late server is not the one drawn. With the
    kernel's autogroups a nice value counts within a session only, so the session gets one too."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        pathlib.Path("/proc/self/autogroup").write_text(str(PRIORITY))
    except OSError as error:
        return f"ordinary priority ({error.strerror})"
    return f"priority {PRIORITY}"


def search(seed, workers, service_us, options):
    with tempfile.TemporaryDirectory(prefix="plumb-bench-") as directory:
        plan, result = pathlib.Path(directory, "plan.yaml"), pathlib.Path(directory, "result.json")
        limit_ms = math.ceil(service_us / 1000 * 5 + 20)
        plan.write_text(PLAN.format(port=free_port(), server=SERVER, workers=workers,
                                    service_us=service_us, limit_ms=limit_ms))
        done = subprocess.run(
            [str(PLUMB), "capacity", str(plan), "--seed", str(seed), "--max-time",
             f"{options.max_time}s", "--format", "json", "-o", str(result), "--quiet",
             "--run-dir", directory], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=options.max_time + 60)
        if not result.exists():
            sys.exit(f"bench-capacity: no result (exit {done.returncode}):\n{done.stdout.decode()}")
        kept = ROOT / f"build/bench/capacity/{seed}.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(result.read_text())
        return json.loads(result.read_text())


def row(seed, workers, service_us, found):
    truth = workers / service_us * 1e6
    got = found["capacity"]
    text = f"  {seed:>4} {workers:>7} {service_us / 1000:>10.2f} {truth:>9,.0f}"
    tail = f"{len(found['probes']):>7} {found['seconds']:>6.0f} s  {found['ended']}"
    if got is None:
        return None, False, f"{text} {'–':>9} {'–':>15} {'–':>7} {tail}  {found['outcome']}"
    error = got["rate"] / truth - 1
    holds = got["low"] <= truth <= got["high"]
    interval = f"{got['low']:,.0f} – {got['high']:,.0f}"
    return error, holds, f"{text} {got['rate']:>9,.0f} {interval:>15} {error:>+7.1%} {tail}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--max-time", type=int, default=75)
    options = parser.parse_args()
    with contextlib.suppress(OSError):
        os.setsid()  # a session of its own, for a priority of its own
    say(f"Capacity of servers with a known one; {raise_priority()}")
    say(f"  {'seed':>4} {'workers':>7} {'service ms':>10} {'true/s':>9} {'found/s':>9} "
        f"{'95% interval':>15} {'error':>7} {'probes':>7} {'time':>8}")
    began, errors, held = time.monotonic(), [], 0
    for seed in range(options.first, options.first + options.seeds):
        workers, service_us = drawn_server(seed)
        error, holds, text = row(seed, workers, service_us,
                                 search(seed, workers, service_us, options))
        say(text)
        held += holds
        if error is not None:
            errors.append(abs(error))
    figures = {"runs": options.seeds, "within_5_percent": sum(e <= WITHIN for e in errors),
               "interval_holds": held, "seconds": round(time.monotonic() - began)}
    if errors:
        figures.update(median_error=round(statistics.median(errors), 4),
                       worst_error=round(max(errors), 4))
        say(f"\n{figures['within_5_percent']} of {options.seeds} within 5%, median error "
            f"{figures['median_error']:.1%}, worst {figures['worst_error']:.1%}; "
            f"{held} intervals hold the true value")
    target = ROOT / "build/bench/capacity.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")
    say(f"written: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()

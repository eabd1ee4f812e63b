#!/usr/bin/env python3
"""Holds plumb against real services that each have one known mistake, and keeps score.

usage: ./dev zoo [--repeat N] [--only NAME]... [--quick] [--resume] [--list]

  ./dev zoo                       everything, 10 repetitions: about two and a half hours
  ./dev zoo --only shop-lock --repeat 1
  ./dev zoo --resume              goes on where it was interrupted

Each case (tests/zoo/cases.py) is started, loaded and diagnosed by `plumb run`, at two strengths;
controls have nothing wrong with them. Prints how often the right cause was named first and among
the first three, how often somebody was blamed for nothing, and what was named in place of what.
Writes build/bench/zoo.json (runs, top1, top3, false_blame, ...), every run's answer to
build/zoo/results.jsonl and, when every case was run, docs/zoo.md.
"""

import argparse
import collections
import contextlib
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cases import CASES, POSTGRES  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/zoo"
BUILD = pathlib.Path(os.environ.get("PLUMB_BUILD", ROOT / "build/release"))
PLUMB = BUILD / "bin/plumb"
SHOP = BUILD / "bin/shop"
OUT = ROOT / "build/zoo"
WARMUP_S = 2
NOTHING = "none"


def say(text=""):
    print(text, flush=True)


def die(text):
    sys.exit("zoo: " + text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- what stands beside the service


@contextlib.contextmanager
def started(command, ready):
    """A process that has printed `ready`; stopped by its own pid."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        line = process.stdout.readline()
        if ready not in line:
            die(f"{command[1]} did not start: {line.strip() or 'it ended'}")
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def postgres():
    state = OUT / f"postgres-{os.getpid()}"
    script = ROOT / "scripts/postgres"
    url = subprocess.run([script, "start", "--state", state], check=True, text=True,
                         stdout=subprocess.PIPE).stdout.strip()
    try:
        yield url
    finally:
        subprocess.run([script, "stop", "--state", state], check=True)


@contextlib.contextmanager
def quota(processors):
    """The file of a cgroup of its own that leaves its processes so much; needs root."""
    v1 = pathlib.Path("/sys/fs/cgroup/cpu")
    base = v1 if v1.is_dir() else pathlib.Path("/sys/fs/cgroup")
    group = base / f"plumb-zoo-{os.getpid()}"
    group.mkdir()
    try:
        period = 100_000
        if v1.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(int(processors * period)))
        else:
            (group / "cpu.max").write_text(f"{int(processors * period)} {period}")
        yield group / "cgroup.procs"
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


# --- one run


class Run:
    """One case at one strength."""

    def __init__(self, case, strength, database_url, scratch):
        self.case = case
        self.strength = strength
        self.database_url = database_url
        self.scratch = scratch
        self.port = free_port()
        self.database = scratch / "zoo.db"

    def varied(self):
        words = self.case.strong if self.strength == "strong" else self.case.weak
        return [word.replace("{scratch}", str(self.scratch)) for word in words]

    def arguments(self):
        words = [word.replace("{scratch}", str(self.scratch)) for word in self.case.arguments]
        return words if self.case.beside else words + self.varied()

    def command(self, peer_port):
        port = str(self.port)
        if self.case.service == "orders":
            words = ["node", str(HERE / "services/orders.mjs"), "--port", port]
            if peer_port:
                words += ["--peer", f"http://127.0.0.1:{peer_port}/"]
        elif self.case.service == "notes":
            words = ["python3", str(HERE / "services/notes.py"), "--port", port, "--db",
                     str(self.database)]
        else:
            words = [str(SHOP), "--port", port]
            if self.case.database != POSTGRES:
                words += ["--db", str(self.database)]
        return words + self.arguments()

    def plan(self, peer_port, cgroup):
        start = self.command(peer_port)
        if cgroup:
            start = ["sh", "-c", f'echo $$ > {cgroup}; exec "$@"', "sh", *start]
        loads = self.case.load
        load = {"warmup": f"{WARMUP_S}s", "duration": f"{self.case.steady_s}s",
                "requests": [{"name": one.path, "path": one.path, "method": one.method}
                             for one in loads]}
        if loads[0].users:
            load["users"] = loads[0].users
        else:
            load["rate"] = f"{loads[0].rate}/s"
        plugins = {"host_metrics": {}}
        if self.case.database == POSTGRES:
            plugins["pg_stats"] = {"dsn": "${DATABASE_URL}"}
        elif self.case.database:
            plugins["sqlite_stats"] = {"database": str(self.database)}
            if self.case.service == "notes":
                plugins["sqlite_stats"]["statements"] = str(HERE / "services/notes.sql")
        for plugin in self.case.plugins:
            plugins[plugin] = {}
        return {"name": "zoo-" + self.case.name,
                "target": {"url": f"http://127.0.0.1:{self.port}",
                           "process": {"port": self.port}, "start": start, "health": "/health",
                           "health_timeout": "60s"},
                "load": load, "plugins": plugins, "slos": list(self.case.slos)}

    def report(self, beside):
        with contextlib.ExitStack() as stack:
            cgroup = None
            if self.case.quota:
                cgroup = stack.enter_context(quota(self.case.quota[self.strength == "strong"]))
            plan = self.scratch / "plan.yaml"
            plan.write_text(json.dumps(self.plan(beside, cgroup)))
            environment = dict(os.environ)
            if self.case.database == POSTGRES:
                environment["DATABASE_URL"] = environment["SHOP_DB"] = self.database_url
            done = subprocess.run(
                [PLUMB, "run", plan, "--format", "json", "--run-dir", OUT / "runs"],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                timeout=240, check=False)
        if done.returncode not in (0, 3, 5):
            die(f"{self.case.name}: plumb run ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def answer(self):
        with contextlib.ExitStack() as stack:
            peer = 0
            if self.case.beside == "peer":
                peer = free_port()
                stack.enter_context(started(
                    ["node", str(HERE / "services/peer.mjs"), "--port", str(peer), *self.varied()],
                    "listening"))
            elif self.case.beside:
                stack.enter_context(started(
                    ["python3", str(HERE / "services/hog.py"), self.case.beside.split("_")[0],
                     "--directory", str(self.scratch), *self.varied()], "hog"))
            report = self.report(peer)
        begun = time.monotonic()
        subprocess.run([PLUMB, "report", report["run"]["id"], "--run-dir", OUT / "runs",
                        "--format", "json"], stdout=subprocess.DEVNULL, check=True)
        return told(self.case, self.strength, report, time.monotonic() - begun)


def told(case, strength, report, diagnosis_s):
    bottleneck = report["verdict"]["bottleneck"]
    return {"case": case.name, "strength": strength, "run": report["run"]["id"],
            "validity": report["validity"]["status"], "label": report["verdict"]["label"],
            "named": bottleneck["cause"] if bottleneck else NOTHING,
            "findings": [finding["cause"] for finding in report["findings"]],
            "closes": report["ledger_summary"]["closes"],
            "total_ms": report["ledger_summary"]["total_ms"],
            "conclusion": report["verdict"]["conclusion"], "diagnosis_s": round(diagnosis_s, 3)}


# --- the score


def right(case, cause):
    return cause in case.causes if case.causes else cause in (NOTHING, *case.tolerated)


def interval(hits, of):
    """Wilson's 95% interval of a share."""
    if of == 0:
        return (0, 1)
    z = 1.96
    p = hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return (max(0.0, centre - half), min(1.0, centre + half))


def share(hits, of):
    low, high = interval(hits, of)
    return f"{hits}/{of} = {hits / of:.1%} ({low:.1%} to {high:.1%})" if of else "no runs"


def score(results):
    by_name = {case.name: case for case in CASES}
    faults = [r for r in results if not by_name[r["case"]].is_control]
    controls = [r for r in results if by_name[r["case"]].is_control]
    top1 = sum(right(by_name[r["case"]], r["named"]) for r in faults)
    top3 = sum(any(right(by_name[r["case"]], cause) for cause in [r["named"], *r["findings"][:3]])
               for r in faults)
    blamed = sum(not right(by_name[r["case"]], r["named"]) for r in controls)
    closed = [r for r in faults if not by_name[r["case"]].hides and r["closes"] is not None]
    return {"runs": len(results), "faults": len(faults), "controls": len(controls),
            "top1_hits": top1, "top3_hits": top3, "blamed": blamed,
            "ledgers": len(closed), "ledgers_closed": sum(r["closes"] >= 0.8 for r in closed),
            "slowest_diagnosis_s": max((r["diagnosis_s"] for r in results), default=0)}


def case_rows(results):
    by_case = collections.defaultdict(list)
    for result in results:
        by_case[result["case"], result["strength"]].append(result)
    for case in CASES:
        for strength in ("weak", "strong", "as it is"):
            runs = by_case.get((case.name, strength))
            if not runs:
                continue
            named = collections.Counter(r["named"] for r in runs)
            hits = sum(right(case, r["named"]) for r in runs)
            closes = sorted(r["closes"] for r in runs if r["closes"] is not None)
            yield (case, strength, len(runs), hits,
                   ", ".join(f"{cause} {count}" for cause, count in named.most_common()),
                   closes[len(closes) // 2] if closes else None)


def confusion(results):
    by_name = {case.name: case for case in CASES}
    pairs = collections.Counter()
    for result in results:
        case = by_name[result["case"]]
        wanted = case.causes[0] if case.causes else NOTHING
        pairs[wanted, wanted if right(case, result["named"]) else result["named"]] += 1
    return pairs


def summary_lines(figures):
    return [
        f"right cause first      {share(figures['top1_hits'], figures['faults'])}",
        f"among the first three  {share(figures['top3_hits'], figures['faults'])}",
        f"blamed for nothing     {share(figures['blamed'], figures['controls'])}",
        f"ledger closes to 80%   {share(figures['ledgers_closed'], figures['ledgers'])}"
        " of the faults that do not hide",
        f"slowest diagnosis      {figures['slowest_diagnosis_s']:.2f} s",
    ]


def print_score(results):
    say()
    for case, strength, count, hits, named, closes in case_rows(results):
        mark = " " if hits == count else "!"
        closed = "" if closes is None else f"closes {closes:.0%}"
        say(f"{mark} {case.name:28} {strength:8} {hits}/{count}  {named:50} {closed}")
    say()
    for line in summary_lines(score(results)):
        say(line)
    wrong = {pair: count for pair, count in confusion(results).items() if pair[0] != pair[1]}
    if wrong:
        say("\ntaken for another:")
        for (wanted, named), count in sorted(wrong.items(), key=lambda entry: -entry[1]):
            say(f"  {count:3} × {wanted} as {named}")


def write_figures(results):
    figures = score(results)
    flat = {"runs": figures["runs"], "slowest_diagnosis_s": figures["slowest_diagnosis_s"]}
    if figures["faults"]:
        flat["top1"] = figures["top1_hits"] / figures["faults"]
        flat["top3"] = figures["top3_hits"] / figures["faults"]
    if figures["controls"]:
        flat["false_blame"] = figures["blamed"] / figures["controls"]
    if figures["ledgers"]:
        flat["ledger_closes"] = figures["ledgers_closed"] / figures["ledgers"]
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    (ROOT / "build/bench/zoo.json").write_text(json.dumps(flat, indent=1) + "\n")


def write_page(results, repeat):
    lines = ["# The zoo", "",
             "Real services under real load, each with one mistake at two strengths, and healthy "
             "ones ([tests/zoo/cases.py](../tests/zoo/cases.py)). This page was written by", "",
             "```", f"./dev zoo --repeat {repeat}", "```", "",
             "```", *summary_lines(score(results)), "```", "",
             "Shares with Wilson's 95% interval. A control may be judged slow; what must not "
             "happen is that a cause is named for it.", "",
             "| case | strength | right | named | ledger closes (median) |",
             "|---|---|--:|---|--:|"]
    for case, strength, count, hits, named, closes in case_rows(results):
        closed = "–" if closes is None else f"{closes:.0%}"
        lines.append(f"| {case.name} | {strength} | {hits}/{count} | {named} | {closed} |")
    lines += ["", "## Taken for another", "", "| is | was named | runs |", "|---|---|--:|"]
    for (wanted, named), count in sorted(confusion(results).items()):
        if wanted != named:
            lines.append(f"| {wanted} | {named} | {count} |")
    (ROOT / "docs/zoo.md").write_text("\n".join(lines) + "\n")


# --- the command


def why_skipped(case):
    if case.service == "orders" and not (HERE / "node_modules/pg").is_dir():
        return "the packages of its Node service are missing: scripts/install-node-packages"
    if case.quota and os.geteuid() != 0:
        return "a cgroup of its own needs root"
    return None


def earlier_results(log):
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines() if line]


def jobs_of(cases, repeat, done):
    have = collections.Counter((r["case"], r["strength"]) for r in done)
    for turn in range(repeat):
        for case in cases:
            for strength in ("as it is",) if case.is_control else ("weak", "strong"):
                if have[case.name, strength] <= turn:
                    yield case, strength


def run_all(jobs, results, log_file):
    with postgres() as url, log_file.open("a") as log:
        for number, (case, strength) in enumerate(jobs, 1):
            with tempfile.TemporaryDirectory(prefix="plumb-zoo-", dir="/var/tmp") as scratch:
                answer = Run(case, strength, url, pathlib.Path(scratch)).answer()
            results.append(answer)
            log.write(json.dumps(answer) + "\n")
            log.flush()
            mark = "ok   " if right(case, answer["named"]) else "WRONG"
            total = "–" if answer["total_ms"] is None else f"{answer['total_ms']:.1f} ms"
            say(f"{number:4}/{len(jobs)} {mark} {case.name} ({strength}): {answer['named']}, "
                f"{answer['label']}, {total}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="a few cases, once, at the strong side")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    known = {case.name for case in CASES}
    for name in options.only:
        if name not in known:
            die(f"there is no case '{name}': see --list")
    if options.list:
        for case in CASES:
            say(f"{case.name:28} {', '.join(case.causes) or 'nothing'}")
        return
    cases = [case for case in CASES if not options.only or case.name in options.only]
    if options.quick:
        cases = [case for case in cases if case.quick]
    runnable = []
    for case in cases:
        reason = why_skipped(case)
        if reason:
            say(f"skipped {case.name}: {reason}")
        else:
            runnable.append(case)
    OUT.mkdir(parents=True, exist_ok=True)
    log = OUT / ("quick.jsonl" if options.quick else "results.jsonl")
    if not options.resume:
        log.unlink(missing_ok=True)
    results = earlier_results(log)
    repeat = 1 if options.quick else options.repeat
    jobs = list(jobs_of(runnable, repeat, results))
    if options.quick:
        jobs = [job for job in jobs if job[1] != "weak"]
    say(f"{len(jobs)} runs of {len(runnable)} cases")
    try:
        run_all(jobs, results, log)
    except KeyboardInterrupt:
        say("\ninterrupted; ./dev zoo --resume goes on")
    print_score(results)
    if not options.quick:
        write_figures(results)
    if len(runnable) == len(CASES) and not options.quick:
        write_page(results, options.repeat)
    wrong = [r for r in results
             if not right(next(c for c in CASES if c.name == r["case"]), r["named"])]
    sys.exit(1 if options.quick and wrong else 0)


if __name__ == "__main__":
    main()

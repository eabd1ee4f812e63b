"""./dev zoo --checks: does the command printed with each finding, run as printed, show what it
claims?"""

import os
import re
import signal
import subprocess
import time

from cases import FAULTS
from runner import OUT, Run, strengths
from score import NOTHING, ratio, share

LOG = "checks"
REPEAT = 1
CASES = FAULTS
ENDS_WITHIN_S = 60
TRIES = 5  # what shows an instant is run several times, as its comment says
LOAD_S = 900  # longer than all checks of a report take: it is ended before

# What has to be seen, by cause; of any other, that something is printed.
SHOWS = {
    "app-cpu-saturated": r"shop|node|python3",
    "app-single-thread-saturated": r"\b(\d{3}|[5-9]\d)\.\d\b.*(node|python3)",
    "app-cpu-throttled": r"throttled\w* [1-9]",
    "app-fsync-bound": r"\d .*(fsync|fdatasync|sync_file_range|msync)",
    "app-fd-leak": r"^ *([2-9]\d|\d{3,}) \S+(.|\n)*open files",
    "app-memory-leak": r"(VmRSS.*\n){3}",
    "app-lock-contention": r"\d .*futex|futex.*\d",
    "app-wait-unseen": r"\d+ \w*(poll|wait|sleep|futex|select)\w*",
    "db-lock-contention": r"\{\d+.*Lock|\{\d+.*(tuple|transactionid)",
    "db-pool-exhausted": r"\| +[1-9]\d* +\| +\d+",
    "db-idle-in-transaction": r"\d+ +\| .*\d\d:\d\d:\d\d",
    "db-missing-index": r"\n +[1-9]\d* \| +[1-9]\d+",
    "db-n-plus-one": r"(?i)[1-9]\d\d+ \| select",
    "db-slow-query": r"\d+ \| +\d+\.\d+",
    "db-temp-spill": r"[1-9]\d* \|.*(select|SELECT)(.|\n)*work_mem",
    "db-commit-wal": r"(?i)wal\w* +\| +[1-9]",
    "db-connection-churn": r"\n +[1-9]\d+\n",
    "db-connection-leak": r"orders +\| idle +\| +[1-9]",
    "sqlite-writer-contention": r"WRITE",
    "sqlite-checkpoint-starved": r"-wal\n(.|\n)*READ",
    "sqlite-missing-index": r"SCAN",
    "sqlite-fsync-bound": r"\d .*(fsync|fdatasync)",
    "downstream-slow": r"lastsnd:\d+ lastrcv:\d+",
    "downstream-errors": r"^[1-5]\d\d \d",
    "net-accept-queue-overflow": r"LISTEN +[1-9](.|\n)*TcpExtListenOverflows +[1-9]",
    "net-connection-setup": r"^[1-9]\d+$",
    "net-payload-large": r"^[1-9]\d{5,} bytes",
    "host-noisy-neighbour": r"python3",
    "host-cpu-saturated": r"some avg10=[1-9](.|\n)*%Cpu",
    "host-disk-saturated": r"some avg10=[1-9](.|\n)*python3",
}


def strengths_of(case):
    return strengths(case)[-1:]


def work(case, missing, url, scratch):
    """The service stands all the while: the processes that a check names are still there."""
    for strength in missing:
        run = Run(case, strength, url, scratch)
        with run.surroundings(), run.service():
            report = run.report(starts=False)
            if not report["findings"]:
                yield row_of(case, strength, NOTHING, "", 0, "no finding, so no check", True)
            with run.loading(LOAD_S):
                for finding in report["findings"]:
                    yield checked(case, strength, finding, run.environment())


def row_of(case, strength, cause, command, code, output, shows):
    return {"case": case.name, "strength": strength, "cause": cause, "check": command,
            "exit": code, "output": output, "shows": shows}


def checked(case, strength, finding, environment):
    for attempt in range(TRIES):
        if attempt:
            time.sleep(0.5)
        code, output = run_check(finding["check"], environment)
        shows = code == 0 and has_shown(finding["cause"], output)
        if shows or code != 0:
            break
    first = "\n".join(output.splitlines()[:12])
    return row_of(case, strength, finding["cause"], finding["check"], code, first, shows)


def run_check(command, environment):
    """Exit code, or "did not end", and what it printed."""
    process = subprocess.Popen(["bash", "-c", command], env=environment, text=True,
                               start_new_session=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=ENDS_WITHIN_S)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=ENDS_WITHIN_S)
        return "did not end", output


def has_shown(cause, output):
    return bool(output.strip()) and re.search(SHOWS.get(cause, "."), output, re.M) is not None


def line(row):
    mark = "ok   " if row["shows"] else "WRONG"
    first = row["output"].splitlines()[:1]
    return f"{mark} {row['case']}: {row['cause']}: exit {row['exit']}: {' '.join(first)}"


def run_of(rows):
    return [row for row in rows if row["cause"] != NOTHING]


def summary(rows):
    made = run_of(rows)
    return [f"checks that show it    {share(sum(row['shows'] for row in made), len(made))}"]


def figures(rows):
    made = run_of(rows)
    return {"checks": len(made), **ratio("checks_show", sum(r["shows"] for r in made), len(made))}


def table(rows):
    """What failed; all of it is in build/zoo/checks.txt."""
    write_text(rows)
    for row in run_of(rows):
        if not row["shows"]:
            yield from text_of(row)


def write_text(rows):
    lines = [line for row in run_of(rows) for line in text_of(row)]
    (OUT / "checks.txt").write_text("\n".join(lines) + "\n")


def text_of(row):
    mark = "ok" if row["shows"] else "WRONG"
    yield f"{mark}: {row['case']}, {row['cause']}, exit {row['exit']}"
    yield "  $ " + row["check"]
    yield from ("    " + text for text in row["output"].splitlines())
    yield ""


def page(rows):
    lines = ["Every finding comes with a command. Each was run as it is printed, against the "
             "service under its load, and had to end well and show what it claims.", "",
             "| cause | commands run | showed it |", "|---|--:|--:|"]
    for cause in sorted({row["cause"] for row in run_of(rows)}):
        shown = [row["shows"] for row in rows if row["cause"] == cause]
        lines.append(f"| {cause} | {len(shown)} | {sum(shown)} |")
    return lines

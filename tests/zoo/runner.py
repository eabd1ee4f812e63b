"""Starts a case's service and what stands beside it, loads it, and has plumb watch and judge."""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from cases import POSTGRES

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/zoo"
BUILD = pathlib.Path(os.environ.get("PLUMB_BUILD", ROOT / "build/release"))
PLUMB = BUILD / "bin/plumb"
SHOP = BUILD / "bin/shop"
OUT = ROOT / "build/zoo"
RUNS = OUT / "runs"
WARMUP_S = 2
HEALTHY_WITHIN_S = 60
MOST_STOLEN = 0.1  # of the processors; from here on plumb calls theft a cause
PAUSE_S = 15
GENERATOR_QUOTA = 0.05  # of a processor, for a generator that must not be able to keep up


def say(text=""):
    print(text, flush=True)


def die(text):
    sys.exit("zoo: " + text)


def directory(parent, name):
    made = parent / name.replace(" ", "-")
    made.mkdir()
    return made


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- what stands beside the service


def end(process):
    """Ends a process that was started in a session of its own, and what it has left behind."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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
        end(process)
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


def cgroups():
    """Where cgroups that limit processors are made."""
    v1 = pathlib.Path("/sys/fs/cgroup/cpu")
    return v1 if v1.is_dir() else pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def quota(processors):
    """The file of a cgroup of its own that leaves its processes so much; needs root."""
    group = cgroups() / f"plumb-zoo-{os.getpid()}"
    group.mkdir()
    try:
        period = 100_000
        if (group / "cpu.cfs_quota_us").exists():
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


def inside(cgroup, command):
    """The command, entering the cgroup first."""
    return ["sh", "-c", f'echo $$ > {cgroup}; exec "$@"', "sh", *map(str, command)]


# --- one run


class Run:
    """One case at one strength: weak, strong, off (without its mistake), or as it is."""

    def __init__(self, case, strength, database_url, scratch, steady_s=None):
        self.case = case
        self.strength = strength
        self.database_url = database_url
        self.scratch = scratch
        self.steady_s = steady_s or case.steady_s
        self.port = free_port()
        self.peer_port = free_port()
        self.database = scratch / "zoo.db"
        self.cgroup = None  # of the service
        self.generator = []  # what comes before the command that loads

    def at(self, strength, scratch):
        """The same at another strength and at the same ports."""
        other = Run(self.case, strength, self.database_url, scratch, self.steady_s)
        other.port, other.peer_port = self.port, self.peer_port
        return other

    def varied(self):
        words = {"weak": self.case.weak, "strong": self.case.strong}.get(self.strength, ())
        return [word.replace("{scratch}", str(self.scratch)) for word in words]

    def arguments(self):
        words = self.case.arguments
        if self.strength == "off" and self.case.off is not None:
            words = self.case.off
        words = [word.replace("{scratch}", str(self.scratch)) for word in words]
        return words if self.case.beside else words + self.varied()

    def command(self):
        port = str(self.port)
        if self.case.service == "orders":
            words = ["node", str(HERE / "services/orders.mjs"), "--port", port]
            if self.case.beside == "peer":
                words += ["--peer", f"http://127.0.0.1:{self.peer_port}/"]
        elif self.case.service == "notes":
            words = ["python3", str(HERE / "services/notes.py"), "--port", port, "--db",
                     str(self.database)]
        else:
            words = [str(SHOP), "--port", port]
            if self.case.database != POSTGRES:
                words += ["--db", str(self.database)]
        words += self.arguments()
        if self.case.generator == "neighbour":
            words = ["taskset", "-c", "1", *words]
        return inside(self.cgroup, words) if self.cgroup else words

    def load(self):
        loads = self.case.load
        load = {"warmup": f"{WARMUP_S}s", "duration": f"{self.steady_s}s",
                "requests": [{"name": one.path, "path": one.path, "method": one.method}
                             for one in loads]}
        if loads[0].users:
            load["users"] = loads[0].users
        else:
            load["rate"] = f"{loads[0].rate}/s"
        if loads[0].arrivals:
            load["arrivals"] = loads[0].arrivals
        return load

    def plugins(self):
        plugins = {"host_metrics": {}}
        if self.case.database == POSTGRES:
            plugins["pg_stats"] = {"dsn": "${DATABASE_URL}"}
        elif self.case.database:
            plugins["sqlite_stats"] = {"database": str(self.database)}
            if self.case.service == "notes":
                plugins["sqlite_stats"]["statements"] = str(HERE / "services/notes.sql")
        for plugin in self.case.plugins:
            plugins[plugin] = {}
        return plugins

    def plan(self, starts):
        target = {"url": f"http://127.0.0.1:{self.port}", "process": {"port": self.port}}
        if starts:
            target |= {"start": self.command(), "health": "/health",
                       "health_timeout": f"{HEALTHY_WITHIN_S}s"}
        return {"name": "zoo-" + self.case.name, "target": target, "load": self.load(),
                "plugins": self.plugins(), "slos": list(self.case.slos)}

    def environment(self):
        environment = dict(os.environ)
        if self.case.database == POSTGRES:
            environment["DATABASE_URL"] = environment["SHOP_DB"] = self.database_url
        return environment

    @contextlib.contextmanager
    def surroundings(self):
        """What stands beside the service, and the limits that it and the generator have."""
        with contextlib.ExitStack() as stack:
            if self.case.beside == "peer":
                stack.enter_context(started(
                    ["node", str(HERE / "services/peer.mjs"), "--port", str(self.peer_port),
                     *self.varied()], "listening"))
            elif self.case.beside and self.strength != "off":
                hog = ["python3", str(HERE / "services/hog.py"), self.case.beside.split("_")[0],
                       "--directory", str(self.scratch), *self.varied()]
                if self.case.generator == "neighbour":
                    hog = ["taskset", "-c", "0", *hog]
                stack.enter_context(started(hog, "hog"))
            if self.case.quota and self.strength != "off":
                processors = self.case.quota[self.strength == "strong"]
                self.cgroup = stack.enter_context(quota(processors))
            if self.case.generator == "quota":
                limited = stack.enter_context(quota(GENERATOR_QUOTA))
                self.cgroup = cgroups() / "cgroup.procs"
                self.generator = inside(limited, [])
            elif self.case.generator == "neighbour":
                self.generator = ["taskset", "-c", "0", "nice", "-n", "19"]
            yield

    @contextlib.contextmanager
    def service(self):
        """The service by itself, so that it outlives the runs against it."""
        process = subprocess.Popen(self.command(), env=self.environment(), start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_until_healthy(process)
            yield
        finally:
            end(process)

    def wait_until_healthy(self, process):
        give_up = time.monotonic() + HEALTHY_WITHIN_S
        while process.poll() is None and time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).close()
                return
            time.sleep(0.1)
        die(f"{self.case.name}: the service did not become healthy")

    @contextlib.contextmanager
    def loading(self, seconds):
        """The load of the case at a service that stands already, and no sampler."""
        plan = self.plan(starts=False)
        plan["load"]["duration"] = f"{seconds}s"
        plan["plugins"] = {}
        path = self.scratch / "load.yaml"
        path.write_text(json.dumps(plan))
        process = subprocess.Popen(
            [PLUMB, "run", path, "--no-html", "--quiet", "--run-dir", self.scratch / "load"],
            env=self.environment(), start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            time.sleep(WARMUP_S)
            yield
        finally:
            end(process)

    def report(self, starts=True):
        """plumb's report on a run; within surroundings()."""
        plan = self.scratch / "plan.yaml"
        plan.write_text(json.dumps(self.plan(starts)))
        done = subprocess.run(
            [*self.generator, PLUMB, "run", plan, "--format", "json", "--run-dir", RUNS],
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=240, check=False)
        if done.returncode not in (0, 3, 5):
            die(f"{self.case.name}: plumb run ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def carry_out(self, most_tries=12):
        """The id of a run during which the machine had its processors: another machine's load that
        the hypervisor lets in is a second mistake. Of the last try where none had them."""
        for _ in range(most_tries):
            with self.surroundings():
                report = self.report()
            stolen = stolen_in(report)
            if stolen <= MOST_STOLEN:
                break
            say(f"          once more: the hypervisor kept {stolen:.0%} of the processors")
            shutil.rmtree(self.scratch)
            self.scratch.mkdir()
            time.sleep(PAUSE_S)
        return report["run"]["id"]


def stolen_in(report):
    """The share of the processors."""
    return max((fact["value"] for fact in report["facts"] if fact["name"] == "validity.steal"),
               default=0)


def kept_report(run):
    """plumb's report on a run that is kept, by the rules of this build."""
    done = subprocess.run([PLUMB, "report", run, "--run-dir", RUNS, "--format", "json",
                           "--installed-rules"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        die(f"plumb report {run} ended with {done.returncode}")
    return json.loads(done.stdout)


def compared(bases, run):
    """plumb's comparison of a run that is kept with others that are."""
    done = subprocess.run([PLUMB, "compare", *bases, run, "--run-dir", RUNS, "--format", "json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 4, 5):
        die(f"plumb compare of {run} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


# --- many runs


class Journal:
    """The rows of a mode, one JSON text a line, so that an interrupted one can go on."""

    def __init__(self, path, anew=()):
        """What was found before of the cases `anew` is forgotten."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.replace([row for row in rows_of(path) if row["case"] not in anew])

    def replace(self, rows):
        self.rows = rows
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def add(self, row):
        self.rows.append(row)
        with self.path.open("a") as log:
            log.write(json.dumps(row) + "\n")


def rows_of(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def strengths(case):
    if case.weak or case.quota:
        return ("weak", "strong")
    return ("strong",) if case.strong else ("as it is",)


def jobs_of(cases, strengths_of, repeat, rows):
    """(case, strengths) still to be done, turn by turn."""
    have = collections.Counter((row["case"], row["strength"]) for row in rows)
    for turn in range(repeat):
        for case in cases:
            missing = tuple(strength for strength in strengths_of(case)
                            if have[case.name, strength] <= turn)
            if missing:
                yield case, missing


def why_skipped(case):
    if case.service == "orders" and not (HERE / "node_modules/pg").is_dir():
        return "the packages of its Node service are missing: scripts/install-node-packages"
    if (case.quota or case.generator == "quota") and os.geteuid() != 0:
        return "a cgroup of its own needs root"
    if case.generator == "neighbour" and (os.cpu_count() or 1) < 2:
        return "it needs two processors"
    return None


def carry_out(jobs, journal, work, line):
    """`work` yields the rows of a job: it gets the case, its strengths, the database and a
    directory that is gone afterwards."""
    with postgres() as url:
        for number, (case, missing) in enumerate(jobs, 1):
            with tempfile.TemporaryDirectory(prefix="plumb-zoo-", dir="/var/tmp") as scratch:
                for row in work(case, missing, url, pathlib.Path(scratch)):
                    journal.add(row)
                    say(f"{number:4}/{len(jobs)} {line(row)}")

#!/usr/bin/env python3
"""Measures what watching costs: plumb's samplers beside other watchers, and a database with and
without them.

usage: ./dev bench-overhead [--seconds N] [--pairs N] [--only PART]...

Prints each figure with the peers' and writes build/bench/overhead.json, one flat object. A figure
that could not be measured is absent. Processor time is the kernel's, in nanoseconds, of every
thread of a watcher; memory is the proportional set size.
"""
import argparse
import contextlib
import http.client
import json
import math
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
PLUMB = BUILD / "bin/plumb"
PLUGINS = f"{BUILD}/lib/plumb/plugins:{BUILD}/tests/plugins"
# Shorter than the silence after which plumb takes a plugin for hung.
BLOCK_S = 2
HOT_ROW = "\\set delta random(-5000, 5000)\nBEGIN;\nUPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = 1;\nSELECT abalance FROM pgbench_accounts WHERE aid = 1;\nEND;\n"
COLLECTD = """
Hostname "bench"
FQDNLookup false
BaseDir "{dir}"
PIDFile "{dir}/collectd.pid"
Interval 1
<LoadPlugin syslog>
</LoadPlugin>
LoadPlugin cpu
LoadPlugin cpufreq
LoadPlugin contextswitch
LoadPlugin disk
LoadPlugin interface
LoadPlugin load
LoadPlugin memory
LoadPlugin processes
LoadPlugin protocols
LoadPlugin swap
LoadPlugin tcpconns
LoadPlugin vmem
<Plugin processes>
  CollectContextSwitch true
  CollectFileDescriptor true
  ProcessMatch "target" "{match}"
</Plugin>
<Plugin tcpconns>
  LocalPort "{port}"
</Plugin>
"""
# A service of many processes, each a little busy: the parent serves HTTP.
TARGET = """
import http.server, os, sys, time
for i in range(int(sys.argv[2]) - 1):
    if os.fork() == 0:
        while os.getppid() != 1:
            until = time.monotonic() + 0.0002
            while time.monotonic() < until: pass
            time.sleep(0.25)
        os._exit(0)
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Page).serve_forever()
"""


def say(text=""):
    print(text, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port):
    for _ in range(400):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"bench-overhead: nothing listened on port {port} within 8 s")


@contextlib.contextmanager
def running(words, **options):
    """A process, stopped by its own id on the way out."""
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.DEVNULL)
    process = subprocess.Popen([str(word) for word in words], **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# ---- what a process costs ------------------------------------------------------------------------

def descendants(pid):
    out = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
            for child in text.split():
                out += descendants(int(child))
    return out


def cpu_seconds(pid):
    total = 0
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total / 1e9


def pss_mib(pid):
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024
    return 0


class Watcher:
    """Some processes whose cost is measured over the same stretch as everybody else's."""

    def __init__(self, name, pids):
        self.name, self.pids = name, pids

    def begin(self):
        self.before = {pid: cpu_seconds(pid) for pid in self.pids}
        self.began = time.monotonic()

    def end(self):
        seconds = time.monotonic() - self.began
        self.core = sum(cpu_seconds(pid) - cpu for pid, cpu in self.before.items()) / seconds
        self.pss = sum(pss_mib(pid) for pid in self.pids)

    def line(self):
        return (f"  {self.name:<34} {self.core * 60:>7.3f} CPU-s/min   {self.core:>7.3%} of a core"
                f"   {self.pss:>6.1f} MiB")


def plumb_processes(process):
    """The plumb process's own id, and those of its plugins by name."""
    plugins = {}
    for pid in descendants(process.pid)[1:]:
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if not words[0].endswith("plumb-host"):
                continue
            for word in words:
                if word.endswith(".so"):
                    plugins[pathlib.Path(word).stem] = pid
    return process.pid, plugins


@contextlib.contextmanager
def plumb_run(plan, directory, seconds=3600, report=None):
    """`plumb run` in its steady stage."""
    file = pathlib.Path(directory, f"plan-{random.randrange(1 << 30)}.yaml")
    file.write_text(plan)
    words = [PLUMB, "run", file, "--run-dir", directory, "--no-html", "--quiet", "--format", "json",
             "-o", report or "/dev/null"]
    with tempfile.TemporaryFile() as talk, running(
            words, env={**os.environ, "PLUMB_PLUGIN_PATH": PLUGINS}, stderr=talk) as process:
        for _ in range(200):
            time.sleep(0.05)
            if process.poll() is not None:
                talk.seek(0)
                sys.exit(f"bench-overhead: plumb ended with {process.returncode}:\n"
                         f"{talk.read().decode()}")
            if len(plumb_processes(process)[1]) >= plan.count("{}") + plan.count("dsn:"):
                break
        time.sleep(2)
        yield process


def load(port, seconds=3600):
    return (f"target: {{url: 'http://127.0.0.1:{port}', process: {{port: {port}}}}}\n"
            f"load: {{rate: 1/s, warmup: 0s, duration: {seconds}s, cooldown: 0s}}\n")


@contextlib.contextmanager
def target(processes):
    port = free_port()
    with running([sys.executable, "-c", TARGET, port, processes]) as process:
        wait_for_port(port)
        yield port, process


# ---- beside other watchers -----------------------------------------------------------------------

def scrape(port, stop):
    """Once a second over one connection, as a Prometheus server does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    while not stop.wait(1):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/metrics")
            connection.getresponse().read()


def host(figures, options):
    """Host sampling alone, each watcher once a second, all at the same time."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="plumb-bench-"))
        port, service = stack.enter_context(target(4))
        watchers = []
        run = stack.enter_context(plumb_run(load(port) + "plugins: {host_metrics: {}}\n", directory))
        core, plugins = plumb_processes(run)
        watchers.append(Watcher("plumb: host_metrics", [plugins["host_metrics"]]))
        watchers.append(Watcher("plumb: keeping and judging", [core]))
        if shutil.which("prometheus-node-exporter"):
            exporter_port = free_port()
            peer = stack.enter_context(running(
                ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter_port}",
                 "--log.level=error"]))
            wait_for_port(exporter_port)
            stop = threading.Event()
            stack.callback(stop.set)
            threading.Thread(target=scrape, args=(exporter_port, stop), daemon=True).start()
            watchers.append(Watcher("node_exporter, scraped", [peer.pid]))
        if shutil.which("collectd"):
            config = pathlib.Path(directory, "collectd.conf")
            config.write_text(COLLECTD.format(dir=directory, port=port, match="ThreadingHTTPServer"))
            peer = stack.enter_context(running(["collectd", "-f", "-C", config]))
            watchers.append(Watcher("collectd, writing nothing", [peer.pid]))
        sadc = pathlib.Path("/usr/lib/sysstat/sadc")
        if sadc.exists():
            peer = stack.enter_context(running([sadc, "-S", "XALL", "1", f"{directory}/sa"]))
            watchers.append(Watcher("sysstat's sadc", [peer.pid]))
        time.sleep(3)
        for watcher in watchers:
            watcher.begin()
        time.sleep(options.seconds)
        for watcher in watchers:
            watcher.end()
    say(f"Host sampling, once a second for {options.seconds} s, all at once:")
    for watcher in watchers:
        say(watcher.line())
    peers = [w for w in watchers[2:] if w.core > 0]
    figures["host_cpu_core"] = round(watchers[0].core, 6)
    figures["host_core_cpu_core"] = round(watchers[1].core, 6)
    if peers:
        best = min(peers, key=lambda w: w.core)
        figures["host_cpu_ratio_best_peer"] = round(watchers[0].core / best.core, 3)
        say(f"  host_metrics takes {watchers[0].core / best.core:.2f} of what {best.name} takes")


# ---- PostgreSQL ----------------------------------------------------------------------------------

@contextlib.contextmanager
def postgres():
    """Yields the parts of the URL and where pgbench is; initialised at scale 10."""
    with tempfile.TemporaryDirectory(prefix="plumb-bench-", dir="/var/tmp") as state:
        script = [ROOT / "scripts/postgres"]
        url = subprocess.run([*script, "start", "--state", state], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.strip()
        try:
            parts = urllib.parse.urlsplit(url)
            programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
            pgbench = str(programs[-1]) if programs else "pgbench"
            subprocess.run([pgbench, "-i", "-q", "-s", "10", url], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            yield url, parts, pgbench
        finally:
            subprocess.run([*script, "stop", "--state", state], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def everything(figures, options):
    """All samplers on 100 processes and 100 backends."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="plumb-bench-"))
        url, _, pgbench = stack.enter_context(postgres())
        port, _ = stack.enter_context(target(100))
        stack.enter_context(running([pgbench, "-n", "-c", "95", "-j", "2", "-R", "200", "-T", "3600",
                                     "-M", "prepared", url]))
        plan = load(port) + f"plugins: {{host_metrics: {{}}, pg_stats: {{dsn: '{url}'}}}}\n"
        run = stack.enter_context(plumb_run(plan, directory))
        core, plugins = plumb_processes(run)
        samplers = [pid for name, pid in plugins.items() if name != "http_load"]
        own = subprocess.run(["psql", "-XAt", url, "-c", "select pid from pg_stat_activity where "
                              "application_name = 'plumb' and backend_type = 'client backend'"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        watchers = [Watcher(name, [pid]) for name, pid in plugins.items() if name != "http_load"]
        watchers.append(Watcher("keeping and judging", [core]))
        total = Watcher("all of it", samplers + [core])
        server = Watcher("inside PostgreSQL", [int(pid) for pid in own])
        time.sleep(8)
        for watcher in [*watchers, total, server]:
            watcher.begin()
        time.sleep(options.seconds)
        for watcher in [*watchers, total, server]:
            watcher.end()
    say(f"\nEverything, for {options.seconds} s: 100 processes, 95 backends at 200 transactions/s:")
    for watcher in [*watchers, total, server]:
        say(watcher.line())
    figures["all_cpu_core"] = round(total.core, 6)
    figures["postgres_cpu_core"] = round(server.core, 6)
    figures["all_pss_mib"] = round(total.pss, 1)


def interval_of_median(values, draws=4000):
    """The median and its 95% bootstrap interval."""
    source = random.Random(1)
    medians = sorted(statistics.median(source.choices(values, k=len(values))) for _ in range(draws))
    return statistics.median(values), medians[draws // 40], medians[-draws // 40]


def pausing(pids, blocks):
    """Stops and continues the processes in turn, for BLOCK_S seconds each, at whole seconds of the
    clock by which pgbench counts. Returns the first second of each block that they
    ran in and of each that they did not."""
    ran, paused = [], []
    second = math.ceil(time.time()) + 1
    for block in range(2 * blocks + 1):
        time.sleep(max(0.0, second - time.time()))
        for pid in pids:
            os.kill(pid, signal.SIGCONT if block % 2 else signal.SIGSTOP)
        (ran if block % 2 else paused).append(second)
        second += BLOCK_S
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    return ran, paused


def transactions_by_second(directory, prefix):
    """From pgbench's aggregated logs, one of each thread: second, transactions, ..."""
    out = {}
    for file in pathlib.Path(directory).glob(prefix + "*"):
        for line in file.read_text().splitlines():
            second, count = line.split()[:2]
            out[int(second)] = out.get(int(second), 0) + int(count)
    return out


def pairs(figures, options):
    """pgbench with plumb running and paused in turn, within one run of each mix: two runs differ by
    more than what is looked for. Each block with plumb is held against the ones before and after."""
    say(f"\npgbench with plumb against without, {options.pairs} blocks of {BLOCK_S} s each in turn:")
    everyone = []
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="plumb-bench-"))
        url, _, pgbench = stack.enter_context(postgres())
        port, _ = stack.enter_context(target(2))
        hot_row = pathlib.Path(directory, "transaction.sql")
        hot_row.write_text(HOT_ROW)
        plan = load(port) + f"plugins: {{host_metrics: {{}}, pg_stats: {{dsn: '{url}'}}}}\n"
        mixes = {"tpcb-like": ["-b", "tpcb-like"], "select-only": ["-b", "select-only"],
                 "hot row": ["-f", hot_row]}
        for name, script in mixes.items():
            prefix = name.replace(" ", "-")
            seconds = (2 * options.pairs + 1) * BLOCK_S + 8
            with plumb_run(plan, directory) as run, running(
                    [pgbench, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", seconds, "-l",
                     "--aggregate-interval=1", f"--log-prefix={directory}/{prefix}", *script, url]) as load_run:
                core, plugins = plumb_processes(run)
                time.sleep(3)
                ran, paused = pausing([core, *plugins.values()], options.pairs)
                load_run.wait(60)
            counts = transactions_by_second(directory, prefix + ".")
            rate = lambda start: sum(counts.get(start + i, 0) for i in range(BLOCK_S))
            ratios = [math.log(rate(with_it) / ((rate(before) + rate(after)) / 2))
                      for with_it, before, after in zip(ran, paused, paused[1:])]
            everyone += ratios
            middle, low, high = (math.expm1(x) for x in interval_of_median(ratios))
            say(f"  {name:<12} {middle:>+7.2%}   95% interval {low:+.2%} to {high:+.2%}   "
                f"({rate(ran[0]) / BLOCK_S:,.0f}/s)")
            figures[f"throughput_change_{prefix.replace('-', '_')}"] = round(middle, 5)
    middle, low, high = (math.expm1(x) for x in interval_of_median(everyone))
    say(f"  {'all':<12} {middle:>+7.2%}   95% interval {low:+.2%} to {high:+.2%}")
    figures["throughput_change"] = round(middle, 5)
    figures["throughput_change_low"], figures["throughput_change_high"] = round(low, 5), round(high, 5)


# ---- the ledger against the client ---------------------------------------------------------------

@contextlib.contextmanager
def starved():
    """Two busy loops for each processor, each of a session of its own: the kernel shares processors
    among sessions first, and pgbench and the server are in two."""
    with contextlib.ExitStack() as stack:
        for _ in range(2 * (os.cpu_count() or 1)):
            stack.enter_context(running([sys.executable, "-c", "while True: pass"],
                                        start_new_session=True))
        yield


def agreement(figures, options):
    """Time in the database by the ledger against pgbench's own latency less its own part."""
    say("\nTime in the database per transaction, by the ledger against pgbench's own measurement:")
    worst = 0
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="plumb-bench-"))
        os.chmod(directory, 0o755)
        url, parts, pgbench = stack.enter_context(postgres())
        hot_row = pathlib.Path(directory, "transaction.sql")
        hot_row.write_text(HOT_ROW)
        cases = {"tpcb-like, 8 clients": ("script: tpcb-like", 8, contextlib.nullcontext),
                 "select-only, 8 clients": ("script: select-only", 8, contextlib.nullcontext),
                 "hot row, 8 clients": (f"file: {hot_row}", 8, contextlib.nullcontext),
                 "commits, 2 clients": ("script: simple-update", 2, contextlib.nullcontext),
                 "select-only, starved": ("script: select-only", 8, starved),
                 "tpcb-like, starved": ("script: tpcb-like", 8, starved)}
        for name, (script, clients, circumstances) in cases.items():
            plan = (f"target: {{url: 'http://127.0.0.1:{parts.port}', process: {{name: pgbench}}}}\n"
                    f"load: {{plugin: pgbench_load, users: {clients}, warmup: 3s, duration: {options.seconds // 2}s, "
                    f"cooldown: 1s}}\n"
                    f"plugins:\n  host_metrics: {{}}\n  pg_stats: {{dsn: '{url}'}}\n"
                    f"  pgbench_load: {{program: {pgbench}, port: {parts.port}, user: {parts.username}, "
                    f"password: '{parts.password or ''}', database: {parts.path.strip('/')}, "
                    f"clients: {clients}, {script}}}\n")
            file, report_file = pathlib.Path(directory, "plan.yaml"), pathlib.Path(directory, "r.json")
            file.write_text(plan)
            report_file.unlink(missing_ok=True)
            with circumstances():
                done = subprocess.run([PLUMB, "run", file, "--run-dir", directory, "--no-html",
                                       "--quiet", "--format", "json", "-o", report_file],
                                      env={**os.environ, "PLUMB_PLUGIN_PATH": PLUGINS},
                                      stderr=subprocess.PIPE, text=True)
            if not report_file.exists():
                sys.exit(f"bench-overhead: plumb gave no report:\n{done.stderr}")
            facts = {f["name"]: f["value"] for f in json.loads(report_file.read_text())["facts"]
                     if not f["labels"]}
            latency = facts["latency.mean"]
            client = (facts["target_cpu_seconds_total.per_request"] +
                      facts["target_runqueue_seconds_total.per_request"])
            truth, ledger = latency - client, facts.get("ledger.layer.database", 0)
            error = ledger / truth - 1
            worst = max(worst, abs(error))
            say(f"  {name:<24} pgbench {latency * 1e3:>8.3f} ms, its own part {client / latency:>4.0%}: "
                f"{truth * 1e3:>8.3f} ms   ledger {ledger * 1e3:>8.3f} ms   {error:>+7.1%}")
            figures["agreement_" + re.sub(r"\W+", "_", name)] = round(error, 4)
    figures["agreement_worst"] = round(worst, 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=30)
    parts = {"host": host, "everything": everything, "pairs": pairs, "agreement": agreement}
    parser.add_argument("--only", action="append", choices=parts)
    options = parser.parse_args()
    result = ROOT / "build/bench/overhead.json"
    figures = json.loads(result.read_text()) if options.only and result.exists() else {}
    for name in options.only or parts:
        parts[name](figures, options)
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(figures, indent=2) + "\n")
    say(f"\nwritten: {result.relative_to(ROOT)}")


main()

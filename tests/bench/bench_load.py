#!/usr/bin/env python3
"""Measures http_load beside its peers against nginx: one processor for the server, one for each
client in its turn, so neither takes the other's.

usage: ./dev bench-load [--seconds N] [--rounds N] [--only PART]...

Prints each figure with the peers' and writes build/bench/load.json, one flat object. A figure that
could not be measured is absent. Efficiency is requests per second of processor time of the whole
client, its start and its report included; ratios are plumb's figure over the peer's, the median of
the rounds.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLUMB = ROOT / "build/release/bin/plumb"
SERVER_CPU, CLIENT_CPU = 0, 1

NGINX = """
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  http2_max_concurrent_streams 1024;
  server {{
    listen 127.0.0.1:{port} backlog=8192{http2};
    location / {{ default_type text/plain; return 200 "Hello, world\\n"; }}
  }}
}}
"""


def say(text=""):
    print(text, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            sys.exit(f"bench-load: the server ended with {process.returncode}")
        time.sleep(0.02)
    sys.exit("bench-load: the server did not listen within 4 s")


def first_child(pid):
    """Waits for it: nginx listens before its worker is there."""
    for _ in range(200):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    sys.exit("bench-load: the server has no worker after 4 s")


@contextlib.contextmanager
def nginx(http2=False):
    """Yields the URL and the worker's pid. With http2 it speaks that alone, without TLS."""
    with tempfile.TemporaryDirectory(prefix="plumb-bench-") as directory:
        port = free_port()
        config = pathlib.Path(directory, "nginx.conf")
        config.write_text(NGINX.format(dir=directory, port=port, http2=" http2" if http2 else ""))
        server = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CPU), "nginx", "-p", directory, "-c", str(config)],
            stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, server)
            yield f"http://127.0.0.1:{port}", first_child(server.pid)
        finally:
            server.terminate()
            server.wait(10)


def run(words):
    """Output, exit code, processor seconds of the command and what it waited for, and duration."""
    before = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(["taskset", "-c", str(CLIENT_CPU), *words], stdout=out,
                                   stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    return {"text": text, "exit": process.returncode, "cpu": usage.ru_utime + usage.ru_stime,
            "seconds": time.monotonic() - before}


def plumb(url, load):
    with tempfile.TemporaryDirectory(prefix="plumb-bench-") as directory:
        plan, report = pathlib.Path(directory, "plan.yaml"), pathlib.Path(directory, "report.json")
        plan.write_text(f"name: bench\ntarget: {{url: '{url}'}}\nload:\n{load}\n"
                        f"plugins: {{}}\n")
        done = run([str(PLUMB), "run", str(plan), "--format", "json", "-o", str(report),
                    "--no-html", "--quiet", "--run-dir", directory])
        if not report.exists():
            sys.exit(f"bench-load: plumb gave no report (exit {done['exit']}):\n{done['text']}")
        return done, json.loads(report.read_text())


def fact(report, name, **labels):
    for entry in report["facts"]:
        if entry["name"] == name and entry["labels"] == labels:
            return entry["value"]
    return None


@contextlib.contextmanager
def nghttpd():
    """Yields the URL. A server that answers what arrives together in one write, as nginx does not."""
    with tempfile.TemporaryDirectory(prefix="plumb-bench-") as directory:
        pathlib.Path(directory, "index.html").write_text("Hello, world\n")
        port = free_port()
        server = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CPU), "nghttpd", "--no-tls", "--address=127.0.0.1",
             "--max-concurrent-streams=1024", "-d", directory, str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def closed(url, users, seconds, more=""):
    done, report = plumb(url, f"  users: {users}\n  warmup: 0s\n{more}"
                              f"  duration: {seconds}s\n  cooldown: 0s\n"
                              f"  requests: [{{name: home, path: /}}]")
    count = fact(report, "requests.count")
    if fact(report, "requests.failed"):
        sys.exit("bench-load: requests failed; see the server")
    return count / done["cpu"]


def wrk(url, connections, seconds):
    done = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url])
    return int(re.search(r"(\d+) requests in", done["text"])[1]) / done["cpu"]


def h2load(url, connections, seconds, streams=None):
    """Over HTTP/2 with so many requests at a time on each connection, else over HTTP/1.1."""
    words = [f"-m{streams}"] if streams else ["--h1"]
    done = run(["h2load", *words, "-t1", f"-c{connections}", f"-D{seconds}", url])
    return int(re.search(r"requests: \d+ total, \d+ started, (\d+) done", done["text"])[1]) / done["cpu"]


def efficiency(figures, options):
    say(f"Requests per second of the client's processor time (nginx on the other; "
        f"{options.rounds} rounds of {options.seconds} s, interleaved)")
    say(f"  {'connections':>11} {'plumb':>10} {'wrk':>10} {'h2load':>10}   {'/wrk':>6} {'/h2load':>8}")
    for connections in (64, 1024):
        rows = []
        for _ in range(options.rounds):
            with nginx() as (url, _worker):
                rows.append((wrk(url, connections, options.seconds),
                             closed(url, connections, options.seconds),
                             h2load(url, connections, options.seconds)))
        by_wrk = statistics.median(p / w for w, p, _ in rows)
        by_h2load = statistics.median(p / h for _, p, h in rows)
        w, p, h = (statistics.median(column) for column in zip(*rows))
        say(f"  {connections:>11} {p:>10,.0f} {w:>10,.0f} {h:>10,.0f}   {by_wrk:>6.2f} {by_h2load:>8.2f}")
        figures[f"wrk_ratio_{connections}"] = round(by_wrk, 4)
        figures[f"h2load_ratio_{connections}"] = round(by_h2load, 4)


def h2(figures, options):
    say("\nHTTP/2: requests per second of the client's processor time")
    say(f"  {'server':<8} {'connections':>11} {'streams':>8} {'plumb':>10} {'h2load':>10}   {'/h2load':>8}")
    servers = {"nginx": lambda: nginx(http2=True), "nghttpd": nghttpd}
    ratios = {"nginx": [], "nghttpd": []}
    for server, connections, streams in (("nginx", 1, 100), ("nginx", 16, 16),
                                         ("nghttpd", 1, 100), ("nghttpd", 16, 16)):
        rows = []
        for _ in range(options.rounds):
            with servers[server]() as at:
                url = at[0] if isinstance(at, tuple) else at
                plan = f"  protocol: http2\n  connections: {connections}\n  streams: {streams}\n"
                rows.append((closed(url, connections * streams, options.seconds, plan),
                             h2load(url, connections, options.seconds, streams)))
        ratio = statistics.median(p / h for p, h in rows)
        ratios[server].append(ratio)
        p, h = (statistics.median(column) for column in zip(*rows))
        say(f"  {server:<8} {connections:>11} {streams:>8} {p:>10,.0f} {h:>10,.0f}   {ratio:>8.2f}")
    figures["h2_ratio"] = round(min(ratios["nginx"]), 4)
    figures["h2_ratio_nghttpd"] = round(min(ratios["nghttpd"]), 4)


def pacing(figures, options):
    with nginx() as (url, _worker):
        done, report = plumb(url, f"  rate: 10000/s\n  warmup: 1s\n  duration: {options.seconds}s\n"
                                  f"  cooldown: 0s\n  requests: [{{name: home, path: /}}]")
    lag = {q: fact(report, f"lag.{q}") for q in ("p50", "p99")}
    error = abs(fact(report, "requests.count") / options.seconds / 10_000 - 1)
    say(f"\nPacing at 10,000/s: rate error {error:.4%}, lag p50 {lag['p50'] * 1e6:.1f} µs, "
        f"p99 {lag['p99'] * 1e6:.1f} µs, {done['cpu'] / done['seconds']:.2f} of a processor")
    figures.update(pacing_rate_error=error, pacing_lag_p50_us=lag["p50"] * 1e6,
                   pacing_lag_p99_us=lag["p99"] * 1e6)


def while_stopped(worker, after, seconds, work):
    """Stops `worker` for `seconds`, beginning `after` seconds into `work`."""
    child = os.fork()
    if child == 0:
        time.sleep(after)
        os.kill(worker, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(worker, signal.SIGCONT)
        os._exit(0)
    try:
        return work()
    finally:
        os.waitpid(child, 0)


def stall(figures, _options):
    say("\nServer stopped for 1.4 s in 30 s at 2,000/s (for the others: as close as they come)")
    with nginx() as (url, worker):
        _, report = while_stopped(worker, 10, 1.4, lambda: plumb(
            url, "  rate: 2000/s\n  warmup: 0s\n  duration: 30s\n  cooldown: 0s\n"
                 "  requests: [{name: home, path: /}]"))
        response, service = (fact(report, f"{what}.p99") for what in ("latency", "service"))
        say(f"  plumb   response p99 {response * 1e3:,.0f} ms   service p99 {service * 1e3:,.2f} ms")
        figures.update(stall_response_p99_s=response, stall_service_p99_s=service)
        peers = {
            "wrk": ["wrk", "-t1", "-c64", "-d30s", "--latency", url],
            "ab": ["ab", "-q", "-k", "-t30", "-n100000000", "-c64", url + "/"],
            "hey": ["hey", "-z", "30s", "-c", "20", "-q", "100", url],
        }
        for name, words in peers.items():
            if not shutil.which(name):
                continue
            text = while_stopped(worker, 10, 1.4, lambda w=words: run(w))["text"]
            p99 = re.search(r"^\s*99%\D*([\d.]+[ \t]*\w*)", text, re.M)
            say(f"  {name:<7} p99 {p99[1] if p99 else 'not told'}{' ms' if name == 'ab' else ''}")


def distribution(figures, _options):
    """Percentiles against those of a server that knows what it drew."""
    port = free_port()
    server = subprocess.Popen(["taskset", "-c", str(SERVER_CPU),
                               ROOT / "build/release/tests/known_latency_server", str(port)],
                              stdout=subprocess.PIPE, text=True)
    try:
        wait_for_port(port, server)
        _, report = plumb(f"http://127.0.0.1:{port}",
                          "  rate: 1000/s\n  arrivals: poisson\n  warmup: 0s\n  duration: 30s\n"
                          "  cooldown: 0s\n  requests: [{name: home, path: /}]")
    finally:
        server.terminate()
        truth = json.loads(server.communicate(timeout=10)[0])
    say(f"\nA server of known latency ({truth['count']:,} requests at 1,000/s):")
    for q in ("p50", "p99", "p999"):
        drawn, seen = truth[f"{q}_us"], fact(report, f"latency.{q}") * 1e6
        say(f"  {q:<5} drawn {drawn:>9,.1f} µs   seen {seen:>9,.1f} µs   "
            f"{seen - drawn:>+7.1f} µs ({seen / drawn - 1:+.2%})")
        figures[f"distribution_{q}_error"] = round(seen / drawn - 1, 5)
        figures[f"distribution_{q}_error_us"] = round(seen - drawn, 1)


def made_cgroup(share):
    """A cgroup with that share of one processor, or None where none can be made."""
    for mount, quota in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max")):
        path = pathlib.Path(mount, f"plumb-bench-{os.getpid()}")
        try:
            path.mkdir()
            amount = str(int(share * 100_000))
            (path / quota).write_text(amount if quota != "cpu.max" else f"{amount} 100000")
            return path
        except OSError:
            with contextlib.suppress(OSError):
                path.rmdir()
    return None


def throttled(figures, _options):
    """The generator with a tenth of a processor must say that it was the limit."""
    cgroup = made_cgroup(0.1)
    if cgroup is None:
        say("\nThrottled generator: no cgroup can be made here (root is needed)")
        return
    try:
        with nginx() as (url, _worker), tempfile.TemporaryDirectory() as directory:
            plan = pathlib.Path(directory, "plan.yaml")
            plan.write_text(f"target: {{url: '{url}'}}\nload: {{rate: 20000/s, duration: 5s}}\n")
            done = run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs && exec {PLUMB} run {plan} "
                                    f"--format json -o {directory}/report.json --no-html --quiet "
                                    f"--run-dir {directory}"])
            report_file = pathlib.Path(directory, "report.json")
            if not report_file.exists():
                sys.exit(f"bench-load: plumb gave no report:\n{done['text']}")
            report = json.loads(report_file.read_text())
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                cgroup.rmdir()
                break
            time.sleep(0.1)
    say(f"\nThrottled generator: {report['validity']['status']}, exit code {done['exit']}: "
        f"{report['verdict']['conclusion']}")
    figures["throttled_exit_code"] = done["exit"]


def memory(figures, options):
    """Resident memory of the load process after a million requests and after ten."""
    sizes = []
    with nginx() as (url, _worker):
        for count in (1_000_000, 10_000_000):
            seconds = max(3, round(count / 150_000))
            _, report = plumb(url, f"  users: 64\n  warmup: 0s\n  duration: {seconds}s\n"
                                   f"  cooldown: 0s\n  requests: [{{name: home, path: /}}]")
            resident = [p["resident_bytes"] for p in report["self"]["plugins"] if p["plugin"] == "http_load"]
            sizes.append((fact(report, "requests.count"), resident[0] / 2**20))
    growth = sizes[1][1] - sizes[0][1]
    say("\nMemory of the load process: " +
        ", ".join(f"{mib:.1f} MiB after {count:,.0f} requests" for count, mib in sizes) +
        f": {growth:+.1f} MiB")
    figures["rss_growth_mib"] = round(growth, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parts = {"efficiency": efficiency, "h2": h2, "pacing": pacing, "stall": stall,
             "distribution": distribution, "throttled": throttled, "memory": memory}
    parser.add_argument("--only", action="append", choices=parts)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("bench-load: one processor for the server and one for the client are needed")
    target = ROOT / "build/bench/load.json"
    figures = json.loads(target.read_text()) if options.only and target.exists() else {}
    for name in options.only or parts:
        parts[name](figures, options)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")
    say(f"\nwritten: {target.relative_to(ROOT)}")


main()

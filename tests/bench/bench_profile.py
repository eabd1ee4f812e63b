#!/usr/bin/env python3
"""Measures what stack_profile costs on programs that make it work.

usage: ./dev bench-profile [--seconds N] [--only PROGRAM]...

Each program is profiled on its own for N seconds after 10 of warming up. Prints processor time of
the plugin's process (the kernel's count, every thread), its memory (proportional set size) and
descriptors at the beginning and the end, and the function that the report names first, and writes
build/bench/profile.json, one flat object.
"""
import argparse
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
HOT = BUILD / "tests"
WARMUP_S = 10
NODE = """
function roastBeans(n) { let x = 1; for (let i = 0; i < n; i++) x = (x * 16807 + i) % 2147483647; return x }
setInterval(() => { const end = Date.now() + 10; while (Date.now() < end) roastBeans(1e4) }, 20)
"""
PYTHON = """
import threading, time
def steep_tea(n):
    x = 1
    for i in range(n): x = (x * 16807 + i) % 2147483647
    return x
def room():
    while True:
        steep_tea(10000)
        time.sleep(0.005)
for i in range(3): threading.Thread(target=room, daemon=True).start()
room()
"""


def programs():
    """What is profiled, as words, by name."""
    out = {
        "busy": ("two busy threads", [HOT / "hot_with_frames", "burn2"]),
        "tables": ("the same without frame pointers", [HOT / "hot_without_frames", "burn2"]),
        "storm": ("a storm of context switches", [HOT / "hot_without_frames", "storm"]),
        "crowd": ("200 threads, born and ended", [HOT / "hot_without_frames", "crowd"]),
        "reload": ("a library loaded and unloaded",
                   [HOT / "hot_without_frames", "reload", HOT / "late_library.so"]),
        "prefork": ("a server that forks", [HOT / "hot_without_frames", "prefork"]),
        "python": ("Python, 4 threads", [sys.executable, "-c", PYTHON]),
    }
    if shutil.which("node"):
        out["node"] = ("Node with a perf map", ["node", "--perf-basic-prof", "-e", NODE])
    return out


class Nothing(http.server.BaseHTTPRequestHandler):
    """Answers the load that a run has to have."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running(words, **options):
    """A process in a group of its own, which is ended on the way out."""
    process = subprocess.Popen([str(word) for word in words], start_new_session=True,
                               stdout=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def host_of(plumb):
    """The process that the plugin runs in."""
    for _ in range(100):
        for task in pathlib.Path(f"/proc/{plumb}/task").iterdir():
            for child in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    if b"stack_profile" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                        return int(child)
        time.sleep(0.1)
    sys.exit("bench-profile: plumb started no stack_profile within 10 s")


def now(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    cpu = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    pss = re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return time.monotonic(), cpu, int(pss[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def measure(name, title, words, options, port, figures):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="plumb-bench-"))
    try:
        with running(words, cwd=directory, stderr=subprocess.DEVNULL) as program:
            time.sleep(1)
            plan = directory / "plan.yaml"
            plan.write_text(
                f"target: {{url: 'http://127.0.0.1:{port}', process: {{pid: {program.pid}}}}}\n"
                f"load: {{rate: 1/s, warmup: 0s, cooldown: 0s, duration: {WARMUP_S + options.seconds + 5}s}}\n"
                f"plugins: {{stack_profile: {{{options.set}}}}}\n")
            report = directory / "report.json"
            with running([BUILD / "bin/plumb", "run", plan, "--run-dir", directory, "--no-html",
                          "--quiet", "--format", "json", "-o", report],
                         env={**os.environ, "PLUMB_PLUGIN_PATH": f"{BUILD}/lib/plumb/plugins"},
                         stderr=subprocess.DEVNULL) as plumb:
                host = host_of(plumb.pid)
                time.sleep(WARMUP_S)
                t0, cpu0, mib0, files0 = now(host)
                time.sleep(options.seconds)
                t1, cpu1, mib1, files1 = now(host)
                if plumb.wait(60) != 0:
                    sys.exit(f"bench-profile: plumb ended with {plumb.returncode}")
            told = json.loads(report.read_text())
            (pathlib.Path("/tmp") / f"perf-{program.pid}.map").unlink(missing_ok=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    core = (cpu1 - cpu0) / (t1 - t0)
    top = {p["name"]: p["by_self"][0]["name"] for p in told["profiles"] if p["by_self"]}
    print(f"  {title:<32} {core:>7.2%} of a core   {mib0:>5.1f} to {mib1:>5.1f} MiB"
          f"   {files0:>5} to {files1:>5} descriptors   {top.get('on_cpu', '-')[:40]}", flush=True)
    figures[f"{name}_core"] = round(core, 6)
    figures[f"{name}_mib"] = round(mib1, 2)
    figures[f"{name}_mib_grown"] = round(mib1 - mib0, 2)
    figures[f"{name}_descriptors_grown"] = files1 - files0


def main():
    known = programs()
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="at most 180")
    parser.add_argument("--only", action="append", choices=known)
    parser.add_argument("--set", default="", help="options of the plugin: 'unwind: frame_pointer'")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    result = ROOT / "build/bench/profile.json"
    figures = json.loads(result.read_text()) if options.only and result.exists() else {}
    print(f"stack_profile {{{options.set}}}, {options.seconds} s each:")
    for name in options.only or known:
        measure(name, *known[name], options, server.server_port, figures)
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwritten: {result.relative_to(ROOT)}")


main()

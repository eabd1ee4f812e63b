#!/usr/bin/env python3
"""A bad neighbour, for the zoo: takes processors or the disk until it is told to stop.

usage: hog.py cpu|disk --threads N [--directory DIR]
"""

import argparse
import ctypes
import multiprocessing
import os
import signal


def alone():
    """A session of its own, which the kernel gives as much as any other; it ends with its parent."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def burn():
    alone()
    while True:
        sum(i * i for i in range(100_000))


def write(directory, number):
    path = os.path.join(directory, f"hog-{number}")
    block = os.urandom(1 << 20)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.unlink(path)
    while True:
        os.lseek(descriptor, 0, os.SEEK_SET)
        for _ in range(16):
            os.write(descriptor, block)
            os.fsync(descriptor)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cpu", "disk"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--directory", default=".")
    options = parser.parse_args()
    work = [
        multiprocessing.Process(
            target=burn if options.what == "cpu" else write,
            args=() if options.what == "cpu" else (options.directory, i),
            daemon=True,
        )
        for i in range(options.threads)
    ]
    for process in work:
        process.start()
    print("hog at work", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    for process in work:
        process.kill()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A note service on SQLite, for the zoo: JSON over HTTP on 127.0.0.1, a thread for each connection,
quick as it stands, and with one switch for each mistake."""

import argparse
import hashlib
import http.server
import json
import os
import random
import signal
import socket
import sqlite3
import threading
import time

NOTES = 60_000
AUTHORS = 3_000


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--db", required=True)
    parser.add_argument("--hold-ms", type=float, default=0, help="/add holds the write lock this long")
    parser.add_argument("--pin", action="store_true", help="a reader that never ends its transaction")
    parser.add_argument("--scan", action="store_true", help="/notes looks for an author without an index")
    parser.add_argument("--fsync", action="store_true", help="each /add is on the disk before it answers")
    parser.add_argument("--batch", type=int, default=1, help="transactions of each /add")
    parser.add_argument("--cpu-ms", type=float, default=0, help="each request computes this long")
    parser.add_argument("--lock-ms", type=float, default=0, help="each request holds one lock this long")
    parser.add_argument("--sleep-ms", type=float, default=0, help="each request waits this long")
    parser.add_argument("--open-file", action="store_true", help="each request opens a file and forgets it")
    parser.add_argument("--grow-kb", type=int, default=0, help="each request leaves this much in memory")
    return parser.parse_args()


def prepare(options):
    with sqlite3.connect(options.db) as db:
        db.execute(f"pragma journal_mode = {'delete' if options.fsync else 'wal'}")
        db.execute("create table if not exists notes(id integer primary key, author int, text text)")
        if db.execute("select count(*) from notes").fetchone()[0] < NOTES:
            db.executemany(
                "insert into notes(author, text) values(?, ?)",
                ((i % AUTHORS, f"note {i} " + "x" * 80) for i in range(NOTES)),
            )
        if options.scan:
            db.execute("drop index if exists notes_author")
        else:
            db.execute("create index if not exists notes_author on notes(author)")
    db.close()


class Notes:
    """What the service does, one SQLite connection for each thread."""

    def __init__(self, options):
        self.options = options
        self.local = threading.local()
        self.lock = threading.Lock()
        self.kept = []

    def database(self):
        if not hasattr(self.local, "db"):
            db = sqlite3.connect(self.options.db, timeout=20, isolation_level=None)
            db.execute(f"pragma synchronous = {'full' if self.options.fsync else 'normal'}")
            self.local.db = db
        return self.local.db

    def blunder(self):
        options = self.options
        if options.cpu_ms:
            end = time.thread_time() + options.cpu_ms / 1e3
            word = b"note"
            while time.thread_time() < end:
                for _ in range(50):
                    word = hashlib.md5(word).digest()
        if options.lock_ms:
            with self.lock:
                time.sleep(options.lock_ms / 1e3)
        if options.sleep_ms:
            time.sleep(options.sleep_ms / 1e3)
        if options.open_file:
            self.kept.append(os.open("/dev/null", os.O_RDONLY))
        if options.grow_kb:
            self.kept.append(bytearray(os.urandom(1024) * options.grow_kb))

    def notes(self):
        author = random.randrange(AUTHORS)
        rows = self.database().execute(
            "select id, text from notes where author = ? limit 20", (author,)
        )
        return {"author": author, "notes": rows.fetchall()}

    def add(self):
        db = self.database()
        for _ in range(self.options.batch):
            db.execute("begin immediate")
            db.execute(
                "insert into notes(author, text) values(?, ?)", (random.randrange(AUTHORS), "new")
            )
            if self.options.hold_ms:
                time.sleep(self.options.hold_ms / 1e3)
            db.execute("commit")
        return {"added": self.options.batch}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    notes: Notes

    def answer(self):
        if self.command == "POST":
            self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path.split("?")[0]
        status, body = 200, {"ok": True}
        try:
            if path != "/health":
                self.notes.blunder()
            if path == "/notes":
                body = self.notes.notes()
            elif path == "/add":
                body = self.notes.add()
            elif path not in ("/health", "/ping"):
                status, body = 404, {"error": "there is no " + path}
        except sqlite3.Error as error:
            status, body = 503, {"error": str(error)}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def finish_request(self, request, client_address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().finish_request(request, client_address)


def pin(options):
    """Begins to read and never ends, so that no checkpoint passes what it reads."""
    db = sqlite3.connect(options.db, isolation_level=None)
    db.execute("begin")
    db.execute("select count(*) from notes").fetchone()
    threading.Event().wait()


def main():
    options = parse()
    prepare(options)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    Handler.notes = Notes(options)
    server = Server(("127.0.0.1", options.port), Handler)
    if options.pin:
        threading.Thread(target=pin, args=(options,), daemon=True).start()
    print(f"notes listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

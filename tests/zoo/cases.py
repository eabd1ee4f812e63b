"""What lives in the zoo: services, each with one mistake at two strengths, and healthy ones.

A case says what is started, how it is loaded and what plumb has to name. `causes` are the answers
that are right: the first is the one looked for, the others name the same mistake from another side.
A control has none: naming any cause is false blame, but for those under `tolerated`.

`lines` are those of the time ledger that grow when the mistake is made: "app.lock" is one line,
"database." every line of that layer. A mistake that does not show in the mean time of a request has
none, and no pair is made of it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    path: str
    method: str = "GET"
    users: int = 0
    rate: float = 0
    arrivals: str = ""  # of a rate: poisson, or evenly


@dataclass(frozen=True)
class Case:
    name: str
    service: str  # shop, orders, notes
    load: tuple  # several share the rate
    causes: tuple = ()
    weak: tuple = ()  # arguments of the service, or of what stands beside it
    strong: tuple = ()
    arguments: tuple = ()  # at either strength
    off: tuple | None = None  # the arguments without the mistake, where they differ from those
    beside: str = ""  # peer, cpu_hog, disk_hog: a second process, with the strengths' arguments
    database: str = ""  # postgresql, sqlite, or none
    quota: tuple = ()  # processors that a cgroup leaves the service, weak and strong (needs root)
    slos: tuple = ()
    plugins: tuple = ()  # beside host_metrics and the database's
    tolerated: tuple = ()
    lines: tuple = ()
    also: tuple = ()  # the causes of a second mistake in the same service
    generator: str = ""  # what keeps the load generator from its work: quota, neighbour
    steady_s: int = 6
    hides: bool = False  # meant to: no ledger can explain it
    quick: bool = False  # part of ./dev test

    @property
    def is_control(self):
        return not self.causes


def closed(path, users, method="GET"):
    return (Load(path, method, users=users),)


def opened(path, rate, method="GET"):
    return (Load(path, method, rate=rate),)


def at_random(rate, *paths, method="GET"):
    """Arrivals as of people who know nothing of each other: a queue is seen before it is full."""
    return tuple(Load(path, method, rate=rate, arrivals="poisson") for path in paths)


POSTGRES = "postgresql"
SQLITE = "sqlite"

FAULTS = [
    # Application
    Case("shop-cpu", "shop", closed("/products", 16), ("app-cpu-saturated",),
         weak=("--cpu-ms", "2"), strong=("--cpu-ms", "10"), database=SQLITE,
         lines=("app.cpu", "app.runqueue")),
    Case("orders-event-loop", "orders", closed("/ping", 16), ("app-single-thread-saturated",),
         weak=("--cpu-ms", "3"), strong=("--cpu-ms", "15"), database=POSTGRES, quick=True,
         lines=("app.cpu", "queue.main_thread")),
    Case("notes-interpreter-lock", "notes", closed("/ping", 8),
         ("app-single-thread-saturated", "app-lock-contention"),
         weak=("--cpu-ms", "3"), strong=("--cpu-ms", "12"), database=SQLITE,
         plugins=("stack_profile",),
         lines=("app.", "queue.main_thread")),
    Case("shop-mutex", "shop", closed("/products", 12), ("app-lock-contention",),
         weak=("--lock-ms", "2"), strong=("--lock-ms", "10"), database=SQLITE,
         plugins=("stack_profile",),
         lines=("app.lock",)),
    Case("notes-lock", "notes", closed("/ping", 12), ("app-lock-contention",),
         weak=("--lock-ms", "3"), strong=("--lock-ms", "15"), database=SQLITE,
         plugins=("stack_profile",),
         lines=("app.lock",)),
    Case("shop-audit", "shop", closed("/products", 12), ("app-fsync-bound",),
         arguments=("--audit", "{scratch}/audit.log"), weak=("--audit-lines", "10"),
         strong=("--audit-lines", "40"), database=SQLITE, plugins=("stack_profile",),
         lines=("app.disk", "app.lock"), off=()),
    Case("orders-timer", "orders", closed("/ping", 8), ("app-wait-unseen",),
         weak=("--sleep-ms", "40"), strong=("--sleep-ms", "200"), database=POSTGRES, hides=True,
         lines=("unexplained",)),
    Case("orders-memory", "orders", opened("/ping", 60), ("app-memory-leak",),
         weak=("--grow-kb", "100"), strong=("--grow-kb", "500"), database=POSTGRES, steady_s=25),
    Case("orders-descriptors", "orders", opened("/ping", 60), ("app-fd-leak",),
         weak=("--open-file",), strong=("--open-file",), database=POSTGRES, steady_s=15),
    Case("orders-quota", "orders", closed("/ping", 8), ("app-cpu-throttled",),
         arguments=("--cpu-ms", "4"), quota=(0.5, 0.2), database=POSTGRES,
         lines=("app.throttled", "queue.quota")),
    # PostgreSQL
    Case("shop-lock", "shop", closed("/checkout", 16, "POST"), ("db-lock-contention",),
         arguments=("--hot-row",), weak=("--hold-ms", "2"), strong=("--hold-ms", "10"),
         database=POSTGRES, quick=True,
         lines=("database.lock",), off=()),
    Case("orders-lock", "orders", closed("/checkout", 10), ("db-lock-contention",),
         arguments=("--hot-row", "--pool", "12"), weak=("--hold-ms", "3"),
         strong=("--hold-ms", "15"), database=POSTGRES,
         lines=("database.lock",), off=("--pool", "12")),
    Case("orders-idle-in-transaction", "orders", closed("/checkout", 16),
         ("db-idle-in-transaction",), arguments=("--pool", "10"),
         weak=("--hold-ms", "15"), strong=("--hold-ms", "60"), database=POSTGRES,
         lines=("app.in_transaction",)),
    Case("orders-pool", "orders", closed("/orders", 16), ("db-pool-exhausted",),
         arguments=("--pool", "2"), weak=("--query-ms", "3"), strong=("--query-ms", "12"),
         database=POSTGRES,
         lines=("queue.pool",), off=()),
    Case("shop-missing-index", "shop", closed("/orders", 8), ("db-missing-index",),
         arguments=("--missing-index",), weak=("--seed-orders", "100000"),
         strong=("--seed-orders", "200000"), database=POSTGRES,
         lines=("database.",), off=("--seed-orders", "200000")),
    Case("orders-scan", "orders", closed("/orders", 4), ("db-missing-index",),
         weak=("--scan",), strong=("--scan", "--pool", "4"), database=POSTGRES,
         lines=("database.",)),
    Case("shop-n-plus-one", "shop", closed("/orders", 8), ("db-n-plus-one",),
         weak=("--n-plus-one",), strong=("--n-plus-one", "--pool", "8"), database=POSTGRES,
         lines=("database.",)),
    Case("orders-n-plus-one", "orders", closed("/orders", 4), ("db-n-plus-one",),
         weak=("--n-plus-one", "20"), strong=("--n-plus-one", "80"), database=POSTGRES, quick=True,
         lines=("database.",)),
    Case("orders-slow-query", "orders", closed("/orders", 2), ("db-slow-query",),
         weak=("--query-ms", "12"), strong=("--query-ms", "60"), database=POSTGRES,
         lines=("database.",)),
    Case("orders-spill", "orders", closed("/orders", 2), ("db-temp-spill",),
         weak=("--spill", "20000"), strong=("--spill", "100000"), database=POSTGRES,
         lines=("database.",), steady_s=10),
    Case("orders-commits", "orders", closed("/checkout", 4), ("db-commit-wal",),
         weak=("--commits", "10"), strong=("--commits", "40"), database=POSTGRES,
         lines=("database.",)),
    Case("orders-churn", "orders", closed("/orders", 6), ("db-connection-churn",),
         weak=("--fresh",), strong=("--fresh", "--pool", "1"), database=POSTGRES,
         lines=("database.", "app.cpu")),
    Case("orders-connection-leak", "orders", opened("/orders", 20), ("db-connection-leak",),
         arguments=("--pool", "60"), weak=("--leak-every", "12"), strong=("--leak-every", "6"),
         database=POSTGRES, steady_s=12),
    # SQLite
    Case("shop-sqlite-writer", "shop", closed("/checkout", 8, "POST"),
         ("sqlite-writer-contention",), weak=("--write-hold-ms", "3"),
         strong=("--write-hold-ms", "12"), database=SQLITE, quick=True,
         lines=("database.sqlite_lock", "queue.sqlite_write_lock_ratio")),
    Case("notes-sqlite-writer", "notes", closed("/add", 8), ("sqlite-writer-contention",),
         weak=("--hold-ms", "4"), strong=("--hold-ms", "20"), database=SQLITE,
         lines=("database.sqlite_lock", "queue.sqlite_write_lock_ratio")),
    Case("notes-checkpoint", "notes", opened("/add", 60), ("sqlite-checkpoint-starved",),
         arguments=("--pin",), weak=("--batch", "2"), strong=("--batch", "6"), database=SQLITE),
    Case("notes-scan", "notes", closed("/notes", 4), ("sqlite-missing-index",),
         weak=("--scan",), strong=("--scan",), database=SQLITE,
         lines=("app.cpu", "app.runqueue", "queue.main_thread")),
    Case("notes-fsync", "notes", closed("/add", 4), ("sqlite-fsync-bound",),
         arguments=("--fsync",), weak=("--batch", "2"), strong=("--batch", "8"), database=SQLITE,
         lines=("app.disk", "database.sqlite_lock"), off=()),
    # Downstream
    Case("shop-downstream", "shop", opened("/products/7", 40), ("downstream-slow",),
         weak=("--downstream-ms", "25"), strong=("--downstream-ms", "120"), database=SQLITE,
         lines=("downstream.",)),
    Case("orders-downstream", "orders", opened("/orders", 40), ("downstream-slow",),
         beside="peer", weak=("--delay-ms", "25"), strong=("--delay-ms", "120"),
         database=POSTGRES, quick=True,
         lines=("downstream.",)),
    Case("orders-downstream-errors", "orders", opened("/orders", 40), ("downstream-errors",),
         beside="peer", weak=("--fail-share", "0.05"), strong=("--fail-share", "0.3"),
         database=POSTGRES),
    # Network
    Case("shop-accept", "shop", closed("/products", 40), ("net-accept-queue-overflow",),
         arguments=("--close",), weak=("--accept-ms", "5"), strong=("--accept-ms", "20"),
         database=SQLITE,
         lines=("app.accept", "queue.accept", "client.connect"), off=()),
    Case("shop-connections", "shop", closed("/products/7", 8), ("net-connection-setup",),
         weak=("--close",), strong=("--close", "--pool", "8"), database=SQLITE,
         lines=("client.connect",)),
    Case("shop-payload", "shop", opened("/products", 20), ("net-payload-large",),
         weak=("--payload-kb", "6000"), strong=("--payload-kb", "16000"), database=SQLITE,
         lines=("client.transfer", "app.cpu")),
    # Host
    # Closed: a fair scheduler leaves a rate alone until the service's share cannot carry it.
    Case("shop-neighbour", "shop", closed("/products", 1),
         ("host-noisy-neighbour", "host-cpu-saturated"), arguments=("--cpu-ms", "3"),
         beside="cpu_hog", weak=("--threads", "4"), strong=("--threads", "8"), database=SQLITE,
         lines=("app.runqueue",)),
    Case("shop-disk", "shop", closed("/products", 8), ("host-disk-saturated", "app-fsync-bound"),
         arguments=("--audit", "{scratch}/audit.log", "--audit-lines", "10"), beside="disk_hog",
         weak=("--threads", "2"), strong=("--threads", "6"), database=SQLITE,
         lines=("app.disk",)),
]

CONTROLS = [
    Case("idle", "orders", opened("/orders", 8), database=POSTGRES),
    Case("shop-fine", "shop", opened("/orders", 100), database=SQLITE, quick=True),
    Case("orders-fine", "orders", opened("/orders", 150), database=POSTGRES, quick=True),
    Case("notes-fine", "notes", opened("/notes", 60), database=SQLITE),
    Case("busy-but-fine", "shop", opened("/products", 250), arguments=("--cpu-ms", "3"),
         slos=({"p95": "100ms"},), database=SQLITE),
    Case("fast-by-design", "orders", opened("/ping", 300), database=POSTGRES),
    # Nobody promised more, and what it waits for is its own timer: that may be said.
    Case("slow-by-design", "orders", opened("/ping", 20), arguments=("--sleep-ms", "120"),
         slos=({"p95": "300ms"},), tolerated=("app-wait-unseen",), database=POSTGRES),
    Case("writes-that-take-turns", "notes", opened("/add", 20), arguments=("--hold-ms", "3"),
         slos=({"p95": "200ms"},), database=SQLITE),
    Case("commits-that-are-needed", "orders", opened("/checkout", 40),
         slos=({"p95": "200ms"},), database=POSTGRES),
]

CASES = FAULTS + CONTROLS

# Each of the two takes a good part of every request, and neither keeps the other from being felt:
# the load is open, and what is served one at a time is below its limit.
TOGETHER = [
    Case("orders-loop-and-peer", "orders", at_random(46, "/orders"),
         ("app-single-thread-saturated",), arguments=("--cpu-ms", "17"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "60"), database=POSTGRES, steady_s=20),
    Case("orders-n-plus-one-and-peer", "orders", at_random(20, "/orders"), ("db-n-plus-one",),
         arguments=("--n-plus-one", "150"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "15"), database=POSTGRES),
    Case("orders-slow-query-and-peer", "orders", at_random(20, "/orders"), ("db-slow-query",),
         arguments=("--query-ms", "20"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "20"), database=POSTGRES),
    Case("orders-scan-and-peer", "orders", at_random(20, "/orders"), ("db-missing-index",),
         arguments=("--scan",), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "18"), database=POSTGRES),
    Case("orders-spill-and-peer", "orders", at_random(10, "/orders"), ("db-temp-spill",),
         arguments=("--spill", "20000"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "40"), database=POSTGRES),
    Case("orders-pool-and-peer", "orders", at_random(93, "/orders"), ("db-pool-exhausted",),
         arguments=("--pool", "1", "--query-ms", "9"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "45"), database=POSTGRES, steady_s=20),
    Case("orders-lock-and-peer", "orders", at_random(78, "/checkout"), ("db-lock-contention",),
         arguments=("--hot-row", "--hold-ms", "8", "--pool", "30"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "22"), database=POSTGRES, steady_s=20),
    Case("orders-idle-and-peer", "orders", at_random(40, "/checkout"),
         ("db-idle-in-transaction",), arguments=("--hold-ms", "30", "--pool", "20"),
         also=("downstream-slow",), beside="peer", strong=("--delay-ms", "30"), database=POSTGRES),
    Case("orders-memory-and-peer", "orders", opened("/orders", 60), ("app-memory-leak",),
         arguments=("--grow-kb", "500"), also=("downstream-slow",),
         beside="peer", strong=("--delay-ms", "40"), database=POSTGRES, steady_s=25),
    Case("orders-files-and-n-plus-one", "orders", opened("/orders", 30), ("app-fd-leak",),
         arguments=("--open-file", "--n-plus-one", "60"), also=("db-n-plus-one",),
         database=POSTGRES, steady_s=15),
    Case("shop-lock-and-peer", "shop", at_random(80, "/checkout", method="POST"),
         ("db-lock-contention",), also=("downstream-slow",),
         arguments=("--hot-row", "--hold-ms", "8", "--downstream-ms", "22"),
         database=POSTGRES, steady_s=20),
    Case("shop-mutex-and-peer", "shop", at_random(78, "/products/7"), ("app-lock-contention",),
         arguments=("--lock-ms", "10", "--downstream-ms", "22"), also=("downstream-slow",),
         database=SQLITE, plugins=("stack_profile",), steady_s=20),
    Case("shop-writer-and-peer", "shop", at_random(60, "/checkout", method="POST"),
         ("sqlite-writer-contention",),
         arguments=("--write-hold-ms", "10", "--downstream-ms", "20"), also=("downstream-slow",),
         database=SQLITE, steady_s=20),
    Case("shop-mutex-and-n-plus-one", "shop", at_random(85, "/orders"), ("db-n-plus-one",),
         arguments=("--n-plus-one", "--lock-ms", "9"), also=("app-lock-contention",),
         database=POSTGRES, plugins=("stack_profile",), steady_s=20),
    Case("orders-spill-and-n-plus-one", "orders", at_random(10, "/orders"), ("db-temp-spill",),
         arguments=("--spill", "20000", "--n-plus-one", "80"), also=("db-n-plus-one",),
         database=POSTGRES),
    Case("orders-locks-and-n-plus-one", "orders", at_random(80, "/checkout", "/orders"),
         ("db-lock-contention",), also=("db-n-plus-one",),
         arguments=("--hot-row", "--hold-ms", "15", "--n-plus-one", "80", "--pool", "30"),
         database=POSTGRES, steady_s=20),
]

# The services do nothing wrong. What is said of their response times would be the generator's own.
GENERATOR = [
    Case("generator-quota-open", "shop", opened("/products", 3000), database=SQLITE,
         generator="quota"),
    Case("generator-quota-closed", "orders", closed("/ping", 64), database=POSTGRES,
         generator="quota"),
    Case("generator-quota-of-a-slow-service", "orders", opened("/ping", 1500),
         arguments=("--sleep-ms", "100"), database=POSTGRES, generator="quota"),
    Case("generator-quota-while-writing", "notes", closed("/add", 32), database=SQLITE,
         generator="quota"),
    Case("generator-behind-a-neighbour", "shop", opened("/products", 2000), database=SQLITE,
         generator="neighbour", beside="cpu_hog", strong=("--threads", "24")),
    Case("generator-behind-a-crowd", "shop", closed("/products", 32), database=SQLITE,
         generator="neighbour", beside="cpu_hog", strong=("--threads", "24")),
]

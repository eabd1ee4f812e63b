"""What lives in the zoo: services, each with one mistake at two strengths, and healthy ones.

A case says what is started, how it is loaded and what plumb has to name. `causes` are the answers
that are right: the first is the one looked for, the others name the same mistake from another side.
A control has none: naming any cause is false blame, but for those under `tolerated`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Load:
    path: str
    method: str = "GET"
    users: int = 0
    rate: float = 0
    headers: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    name: str
    service: str  # shop, orders, notes
    load: tuple
    causes: tuple = ()
    weak: tuple = ()  # arguments of the service, or of what stands beside it
    strong: tuple = ()
    arguments: tuple = ()  # at either strength
    beside: str = ""  # peer, cpu_hog, disk_hog: a second process, with the strengths' arguments
    database: str = ""  # postgresql, sqlite, or none
    quota: tuple = ()  # processors that a cgroup leaves the service, weak and strong (needs root)
    slos: tuple = ()
    plugins: tuple = ()  # beside host_metrics and the database's
    tolerated: tuple = ()
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


POSTGRES = "postgresql"
SQLITE = "sqlite"

FAULTS = [
    # Application
    Case("shop-cpu", "shop", closed("/products", 16), ("app-cpu-saturated",),
         weak=("--cpu-ms", "2"), strong=("--cpu-ms", "10"), database=SQLITE),
    Case("orders-event-loop", "orders", closed("/ping", 16), ("app-single-thread-saturated",),
         weak=("--cpu-ms", "3"), strong=("--cpu-ms", "15"), database=POSTGRES, quick=True),
    Case("notes-interpreter-lock", "notes", closed("/ping", 8),
         ("app-single-thread-saturated", "app-lock-contention"),
         weak=("--cpu-ms", "3"), strong=("--cpu-ms", "12"), database=SQLITE,
         plugins=("stack_profile",)),
    Case("shop-mutex", "shop", closed("/products", 12), ("app-lock-contention",),
         weak=("--lock-ms", "2"), strong=("--lock-ms", "10"), database=SQLITE,
         plugins=("stack_profile",)),
    Case("notes-lock", "notes", closed("/ping", 12), ("app-lock-contention",),
         weak=("--lock-ms", "3"), strong=("--lock-ms", "15"), database=SQLITE,
         plugins=("stack_profile",)),
    Case("shop-audit", "shop", closed("/products", 12), ("app-fsync-bound",),
         arguments=("--audit", "{scratch}/audit.log"), weak=("--audit-lines", "10"),
         strong=("--audit-lines", "40"), database=SQLITE, plugins=("stack_profile",)),
    Case("orders-timer", "orders", closed("/ping", 8), ("app-wait-unseen",),
         weak=("--sleep-ms", "40"), strong=("--sleep-ms", "200"), database=POSTGRES, hides=True),
    Case("orders-memory", "orders", opened("/ping", 60), ("app-memory-leak",),
         weak=("--grow-kb", "100"), strong=("--grow-kb", "500"), database=POSTGRES, steady_s=25),
    Case("orders-descriptors", "orders", opened("/ping", 60), ("app-fd-leak",),
         weak=("--open-file",), strong=("--open-file",), database=POSTGRES, steady_s=15),
    Case("orders-quota", "orders", closed("/ping", 8), ("app-cpu-throttled",),
         arguments=("--cpu-ms", "4"), quota=(0.5, 0.2), database=POSTGRES),
    # PostgreSQL
    Case("shop-lock", "shop", closed("/checkout", 16, "POST"), ("db-lock-contention",),
         arguments=("--hot-row",), weak=("--hold-ms", "2"), strong=("--hold-ms", "10"),
         database=POSTGRES, quick=True),
    Case("orders-lock", "orders", closed("/checkout", 10), ("db-lock-contention",),
         arguments=("--hot-row", "--pool", "12"), weak=("--hold-ms", "3"),
         strong=("--hold-ms", "15"), database=POSTGRES),
    Case("orders-idle-in-transaction", "orders", closed("/checkout", 16),
         ("db-idle-in-transaction",), arguments=("--pool", "10"),
         weak=("--hold-ms", "15"), strong=("--hold-ms", "60"), database=POSTGRES),
    Case("orders-pool", "orders", closed("/orders", 16), ("db-pool-exhausted",),
         arguments=("--pool", "2"), weak=("--query-ms", "3"), strong=("--query-ms", "12"),
         database=POSTGRES),
    Case("shop-missing-index", "shop", closed("/orders", 8), ("db-missing-index",),
         arguments=("--missing-index",), weak=("--seed-orders", "100000"),
         strong=("--seed-orders", "200000"), database=POSTGRES),
    Case("orders-scan", "orders", closed("/orders", 4), ("db-missing-index",),
         weak=("--scan",), strong=("--scan", "--pool", "4"), database=POSTGRES),
    Case("shop-n-plus-one", "shop", closed("/orders", 8), ("db-n-plus-one",),
         weak=("--n-plus-one",), strong=("--n-plus-one", "--pool", "8"), database=POSTGRES),
    Case("orders-n-plus-one", "orders", closed("/orders", 4), ("db-n-plus-one",),
         weak=("--n-plus-one", "20"), strong=("--n-plus-one", "80"), database=POSTGRES, quick=True),
    Case("orders-slow-query", "orders", closed("/orders", 2), ("db-slow-query",),
         weak=("--query-ms", "12"), strong=("--query-ms", "60"), database=POSTGRES),
    Case("orders-spill", "orders", closed("/orders", 2), ("db-temp-spill",),
         weak=("--spill", "20000"), strong=("--spill", "100000"), database=POSTGRES),
    Case("orders-commits", "orders", closed("/checkout", 4), ("db-commit-wal",),
         weak=("--commits", "10"), strong=("--commits", "40"), database=POSTGRES),
    Case("orders-churn", "orders", closed("/orders", 6), ("db-connection-churn",),
         weak=("--fresh",), strong=("--fresh", "--pool", "1"), database=POSTGRES),
    Case("orders-connection-leak", "orders", opened("/orders", 20), ("db-connection-leak",),
         arguments=("--pool", "60"), weak=("--leak-every", "12"), strong=("--leak-every", "6"),
         database=POSTGRES, steady_s=12),
    # SQLite
    Case("shop-sqlite-writer", "shop", closed("/checkout", 8, "POST"),
         ("sqlite-writer-contention",), weak=("--write-hold-ms", "3"),
         strong=("--write-hold-ms", "12"), database=SQLITE, quick=True),
    Case("notes-sqlite-writer", "notes", closed("/add", 8), ("sqlite-writer-contention",),
         weak=("--hold-ms", "4"), strong=("--hold-ms", "20"), database=SQLITE),
    Case("notes-checkpoint", "notes", opened("/add", 60), ("sqlite-checkpoint-starved",),
         arguments=("--pin",), weak=("--batch", "2"), strong=("--batch", "6"), database=SQLITE),
    Case("notes-scan", "notes", closed("/notes", 4), ("sqlite-missing-index",),
         weak=("--scan",), strong=("--scan",), database=SQLITE),
    Case("notes-fsync", "notes", closed("/add", 4), ("sqlite-fsync-bound",),
         arguments=("--fsync",), weak=("--batch", "2"), strong=("--batch", "8"), database=SQLITE),
    # Downstream
    Case("shop-downstream", "shop", opened("/products/7", 40), ("downstream-slow",),
         weak=("--downstream-ms", "25"), strong=("--downstream-ms", "120"), database=SQLITE),
    Case("orders-downstream", "orders", opened("/orders", 40), ("downstream-slow",),
         beside="peer", weak=("--delay-ms", "25"), strong=("--delay-ms", "120"),
         database=POSTGRES, quick=True),
    Case("orders-downstream-errors", "orders", opened("/orders", 40), ("downstream-errors",),
         beside="peer", weak=("--fail-share", "0.05"), strong=("--fail-share", "0.3"),
         database=POSTGRES),
    # Network
    Case("shop-accept", "shop", closed("/products", 40), ("net-accept-queue-overflow",),
         arguments=("--close",), weak=("--accept-ms", "5"), strong=("--accept-ms", "20"),
         database=SQLITE),
    Case("shop-connections", "shop", closed("/products/7", 8), ("net-connection-setup",),
         weak=("--close",), strong=("--close", "--pool", "8"), database=SQLITE),
    Case("shop-payload", "shop", opened("/products", 20), ("net-payload-large",),
         weak=("--payload-kb", "6000"), strong=("--payload-kb", "16000"), database=SQLITE),
    # Host
    Case("shop-neighbour", "shop", opened("/products", 100),
         ("host-noisy-neighbour", "host-cpu-saturated"), arguments=("--cpu-ms", "3"),
         beside="cpu_hog", weak=("--threads", "3"), strong=("--threads", "8"), database=SQLITE),
    Case("shop-disk", "shop", closed("/products", 8), ("host-disk-saturated", "app-fsync-bound"),
         arguments=("--audit", "{scratch}/audit.log", "--audit-lines", "10"), beside="disk_hog",
         weak=("--threads", "2"), strong=("--threads", "6"), database=SQLITE),
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

// An order service on PostgreSQL with a connection pool, for the zoo: JSON over HTTP on 127.0.0.1,
// quick as it stands, and with one switch for each mistake.
//
// usage: node orders.mjs --port N [--pool N] [MISTAKE]
//
// DATABASE_URL names the database; its tables live in a schema "zoo".
//
//   --cpu-ms N          each request computes this long in the event loop
//   --sleep-ms N        each request waits this long for a timer
//   --query-ms N        /orders runs a statement that takes the server about this long
//   --hold-ms N         /checkout keeps its transaction open this long while it does something else
//   --hot-row           /checkout updates one and the same row, and holds it for --hold-ms
//   --n-plus-one N      /orders asks N times for one row where one statement would do
//   --scan              /orders looks for a customer in a table without an index on customers
//   --spill N           /orders sorts N rows with little memory to do it in
//   --commits N         /checkout commits N times
//   --fresh             each request opens a database connection of its own
//   --leak-every N      each Nth request never gives its connection back
//   --grow-kb N         each request leaves this much in memory for ever
//   --open-file         each request opens a file and forgets it
//   --peer URL          /orders and /checkout ask this service first
//   --payload-kb N      /orders answers with this much more
import { createServer, Agent, request as ask } from "node:http";
import { openSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";

const number = { type: "string", default: "0" };
const flag = { type: "boolean", default: false };
const { values } = parseArgs({
  options: {
    port: number, pool: { type: "string", default: "10" }, "cpu-ms": number, "sleep-ms": number,
    "query-ms": number, "hold-ms": number, "hot-row": flag, "n-plus-one": number, scan: flag,
    spill: number, commits: number, fresh: flag, "leak-every": number, "grow-kb": number,
    "open-file": flag, peer: { type: "string", default: "" }, "payload-kb": number,
  },
});
const amount = (name) => Number(values[name]);

const kOrders = 200_000;
const connectionString = process.env.DATABASE_URL;
const pool = new pg.Pool({ connectionString, max: amount("pool"), application_name: "orders" });
pool.on("error", () => {});
const agent = new Agent({ keepAlive: true });
const kept = [];
let requests = 0;

// A number that stands for about a millisecond of the server's time, found once.
let rowsPerMs = 0;

async function prepare() {
  const client = await pool.connect();
  try {
    await client.query("create schema if not exists zoo");
    const { rows } = await client.query("select to_regclass('zoo.orders') is not null as there");
    if (!rows[0].there) {
      await client.query(`create table zoo.orders as
        select i as id, (i % 5000)::int as customer, (i % 1000)::int as cents, 'new' as state
        from generate_series(1, ${kOrders}) i`);
      await client.query("alter table zoo.orders add primary key (id)");
      await client.query("create table zoo.indexed_orders as table zoo.orders");
      await client.query("alter table zoo.indexed_orders add primary key (id)");
      await client.query("create index on zoo.indexed_orders (customer)");
      await client.query("create table zoo.counters (id int primary key, n bigint not null)");
      await client.query("insert into zoo.counters select i, 0 from generate_series(1, 1000) i");
      await client.query("analyze zoo.orders, zoo.indexed_orders, zoo.counters");
    }
    if (amount("query-ms") > 0) {
      const begun = performance.now();
      await client.query("select sum(sqrt(i)) from (select generate_series(1, 500000) as i) s");
      rowsPerMs = 500_000 / (performance.now() - begun);
    }
  } finally {
    client.release();
  }
}

async function connected(work) {
  if (values.fresh) {
    const client = new pg.Client({ connectionString, application_name: "orders" });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
  const client = await pool.connect();
  const leak = amount("leak-every") > 0 && requests % amount("leak-every") === 0;
  try {
    return await work(client);
  } finally {
    if (!leak) client.release();
  }
}

function compute(ms) {
  const end = performance.now() + ms;
  let hash = 0;
  while (performance.now() < end) for (let i = 0; i < 2000; ++i) hash = (hash * 31 + i) | 0;
  return hash;
}

function askPeer() {
  return new Promise((resolve, reject) => {
    const call = ask(values.peer, { agent }, (answer) => {
      answer.resume();
      answer.on("end", () =>
        answer.statusCode < 400 ? resolve() : reject(new Error(`peer: ${answer.statusCode}`)));
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
}

const anyOf = (most) => 1 + Math.floor(Math.random() * most);

async function orders() {
  if (values.peer) await askPeer();
  return connected(async (client) => {
    if (rowsPerMs > 0)
      // In the list of a select a series is not kept; in its FROM it would spill to disk.
      await client.query("select sum(sqrt(i)) from (select generate_series(1, $1::int) as i) s",
                         [Math.round(rowsPerMs * amount("query-ms"))]);
    if (amount("spill") > 0) {
      await client.query("set work_mem = '64kB'");
      await client.query(
        "select count(*) from (select md5(i::text) h from generate_series(1, $1::int) i order by h) s",
        [amount("spill")]);
    }
    for (let i = 0; i < amount("n-plus-one"); ++i)
      await client.query("select cents from zoo.orders where id = $1", [anyOf(kOrders)]);
    const table = values.scan ? "zoo.orders" : "zoo.indexed_orders";
    const { rows } = await client.query(
      `select id, cents from ${table} where customer = $1 limit 20`, [anyOf(5000) - 1]);
    return { orders: rows, more: "=".repeat(amount("payload-kb") * 1024) };
  });
}

async function checkout() {
  if (values.peer) await askPeer();
  return connected(async (client) => {
    const row = values["hot-row"] ? 1 : anyOf(1000);
    const update = "update zoo.counters set n = n + 1 where id = $1";
    for (let i = 0; i < amount("commits"); ++i) await client.query(update, [anyOf(1000)]);
    await client.query("begin");
    if (amount("hold-ms") > 0 && !values["hot-row"]) {
      await client.query("select n from zoo.counters where id = $1", [row]);
      await wait(amount("hold-ms"));
    }
    await client.query(update, [row]);
    if (amount("hold-ms") > 0 && values["hot-row"]) await wait(amount("hold-ms"));
    await client.query("commit");
    return { paid: true };
  });
}

async function answer(path) {
  if (path === "/health") {
    await pool.query("select 1");
    return { ok: true };
  }
  ++requests;
  if (amount("cpu-ms") > 0) compute(amount("cpu-ms"));
  if (amount("sleep-ms") > 0) await wait(amount("sleep-ms"));
  if (amount("grow-kb") > 0) kept.push(Buffer.alloc(amount("grow-kb") * 1024, 1));
  if (values["open-file"]) kept.push(openSync("/dev/null", "r"));
  if (path === "/orders") return orders();
  if (path === "/checkout") return checkout();
  if (path === "/ping") return { pong: true };
  return null;
}

const server = createServer((message, reply) => {
  message.resume();
  answer(message.url.split("?")[0]).then(
    (body) => {
      const text = JSON.stringify(body ?? { error: `there is no ${message.url}` });
      reply.writeHead(body ? 200 : 404, { "content-type": "application/json" });
      reply.end(text);
    },
    (error) => {
      reply.writeHead(503, { "content-type": "application/json" });
      reply.end(JSON.stringify({ error: error.message }));
    });
});
await prepare();
server.listen(amount("port"), "127.0.0.1", () => {
  console.log(`orders listening on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

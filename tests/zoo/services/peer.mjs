// A service that the zoo's services ask: answers after a while, or fails.
//
// usage: node peer.mjs --port N [--delay-ms N] [--fail-share 0.5]
import { createServer } from "node:http";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "delay-ms": { type: "string", default: "0" },
    "fail-share": { type: "string", default: "0" },
  },
});
const server = createServer((message, reply) => {
  message.resume();
  setTimeout(() => {
    const failed = Math.random() < Number(values["fail-share"]);
    reply.writeHead(failed ? 500 : 200, { "content-type": "application/json" });
    reply.end(failed ? '{"error":"out of order"}' : '{"ok":true}');
  }, Number(values["delay-ms"]));
});
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`peer listening on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

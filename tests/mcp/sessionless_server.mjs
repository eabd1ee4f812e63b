// A server of MCP's revision 2026-07-28, which has no sessions, made with the protocol's official
// SDK in its second version, to be loaded by tests.
//
//   node sessionless_server.mjs [--answers sse|json]
//
// Writes "listening PORT" once it does, on a free loopback port, and ends when its standard input
// does. The SDK needs Node 20: below that it writes "unsupported".
import { createServer } from "node:http";
import { parseArgs } from "node:util";

if (Number(process.versions.node.split(".")[0]) < 20) {
  console.log("unsupported");
  process.exit(0);
}
const { createMcpHandler, McpServer } = await import("@modelcontextprotocol/server");
const { toNodeHandler } = await import("@modelcontextprotocol/node");
const z = await import("zod");

const { values: options } = parseArgs({
  options: { answers: { type: "string", default: "sse" } },
});

function makeServer() {
  const server = new McpServer({ name: "tested", version: "1" });
  const text = (words) => ({ content: [{ type: "text", text: words }] });
  server.registerTool(
    "echo",
    { inputSchema: z.object({ word: z.string().min(3).max(12) }) },
    ({ word }) => text(word),
  );
  server.registerTool("failing", { inputSchema: z.object({}) }, () => ({
    ...text("out of paper"),
    isError: true,
  }));
  // The SDK refuses a call whose header and argument differ.
  server.registerTool(
    "routed",
    {
      inputSchema: z.object({
        region: z.enum(["süd", " nord "]).meta({ "x-mcp-header": "Region" }),
        shard: z.number().int().min(1).max(9).meta({ "x-mcp-header": "Shard" }),
      }),
    },
    ({ region }) => text(region),
  );
  return server;
}

const handler = toNodeHandler(
  createMcpHandler(makeServer, { legacy: "reject", responseMode: options.answers }),
);
const http = createServer((request, response) => void handler(request, response));
http.keepAliveTimeout = 60_000;
http.listen(0, "127.0.0.1", () => console.log(`listening ${http.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();

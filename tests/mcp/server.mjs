// A server of MCP over streamable HTTP, made with the protocol's official SDK, to be loaded by
// tests.
//
//   node server.mjs [--port N] [--answers sse|json] [--stateless] [--session-calls N]
//
// Writes "listening PORT" once it does, on loopback, on a free port unless told, and ends when its
// standard input does. With --session-calls a session is forgotten after that many POSTs. GET /counts says what it
// has seen since its start.
import { randomUUID, webcrypto } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import * as z from "zod/v4";

// The SDK expects it; Node 18 has it under a flag alone.
globalThis.crypto ??= webcrypto;

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    answers: { type: "string", default: "sse" },
    stateless: { type: "boolean", default: false },
    "session-calls": { type: "string", default: "0" },
  },
});
const sessionCalls = Number(options["session-calls"]);
const counts = { initialize: 0, deleted: 0, tools: {}, connections: 0 };
const sessions = new Map(); // by id: the transport, and how often it was used

const text = (words) => ({ content: [{ type: "text", text: words }] });

function makeServer() {
  const server = new McpServer({ name: "tested", version: "1" }, { capabilities: { logging: {} } });
  const tool = (name, description, inputSchema, answer) =>
    server.registerTool(name, { description, inputSchema }, async (given, extra) => {
      counts.tools[name] = (counts.tools[name] ?? 0) + 1;
      return answer(given, extra);
    });
  tool("fast", "Answers at once", { word: z.string().min(3).max(12), mode: z.enum(["a", "b"]) },
    ({ word }) => text(word));
  tool("slow", "Says that it has begun, then takes 5 ms", { n: z.number().int().min(1).max(9) },
    async ({ n }, extra) => {
      const params = { level: "info", data: "begun" };
      await extra.sendNotification({ method: "notifications/message", params });
      await sleep(5);
      return text(String(n));
    });
  tool("failing", "Fails", {}, () => ({ ...text("out of\npaper"), isError: true }));
  server.registerResource("note", "test://note", { mimeType: "text/plain" }, async (uri) => ({
    contents: [{ uri: uri.href, text: "a note" }],
  }));
  server.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Greet ${name}` } }],
  }));
  return server;
}

async function makeTransport() {
  const transport = new StreamableHTTPServerTransport({
    enableJsonResponse: options.answers === "json",
    sessionIdGenerator: options.stateless ? undefined : () => randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, { transport, uses: 0 }),
  });
  await makeServer().connect(transport);
  return transport;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
}

function refuse(response, status, message) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32001, message } }));
}

async function transportFor(request, message) {
  if (message?.method === "initialize") counts.initialize += 1;
  if (options.stateless || message?.method === "initialize") return makeTransport();
  const id = request.headers["mcp-session-id"];
  const session = sessions.get(id);
  if (session === undefined) return undefined;
  session.uses += 1;
  if (request.method === "DELETE") counts.deleted += 1;
  if (sessionCalls > 0 && session.uses > sessionCalls) sessions.delete(id);
  return session.transport;
}

const http = createServer(async (request, response) => {
  if (request.url === "/counts") return response.end(JSON.stringify(counts));
  if (request.url !== "/mcp") return refuse(response, 404, "No such path");
  const message = request.method === "POST" ? await bodyOf(request) : undefined;
  const transport = await transportFor(request, message);
  if (transport === undefined) return refuse(response, 404, "Session not found");
  if (options.stateless) response.on("close", () => transport.close());
  await transport.handleRequest(request, response, message);
});
http.on("connection", () => (counts.connections += 1));
http.keepAliveTimeout = 60_000;
http.listen(Number(options.port), "127.0.0.1", () => console.log(`listening ${http.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();

import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";
const [file, width, scheme, out, step, ...ys] = process.argv.slice(2);
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const c = await b.newContext({ viewport: { width: +width, height: +step }, colorScheme: scheme });
const p = await c.newPage();
await p.goto(pathToFileURL(file).href);
for (const y of ys) { await p.evaluate((y) => window.scrollTo(0, +y), y); await p.screenshot({ path: `${out}-${y}.png` }); }
await b.close();

// Opens HTML reports in Chromium, with the network off, as a reader would: light and dark, on a
// wide screen and on a phone, with and without JavaScript, and on paper.
//
//   node report.mjs [--shots DIRECTORY] FILE.html...
//
// Fails when the page asks for anything, says anything in the console, scrolls sideways, has an
// empty chart, a link to nowhere, or a violation that axe calls serious. CHROMIUM names the browser
// (default /usr/bin/chromium).
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options, positionals: files } = parseArgs({
  options: { shots: { type: "string" } },
  allowPositionals: true,
});
if (files.length === 0) {
  console.error("usage: node report.mjs [--shots DIRECTORY] FILE.html...");
  process.exit(2);
}
if (options.shots) mkdirSync(options.shots, { recursive: true });

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const widths = [1280, 390];
const schemes = ["light", "dark"];
const largestPage = 500 * 1024;
let failures = 0;

function expect(holds, file, view, what) {
  if (holds) return;
  failures += 1;
  console.error(`FAILED ${basename(file)} (${view}): ${what}`);
}

// What the page itself can tell of its state.
function inspect() {
  const dots = [...document.querySelectorAll("figure.chart svg.area")].map(
    (area) =>
      [...area.querySelectorAll(".dot")].reduce((n, dot) => n + dot.getAttribute("d").split("M").length - 1, 0) +
      area.querySelectorAll(".bar").length,
  );
  const lost = [...document.querySelectorAll("a[href^='#']")]
    .map((a) => a.getAttribute("href").slice(1))
    .filter((id) => !document.getElementById(id));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    emptyCharts: dots.filter((n) => n === 0).length,
    lost,
    repeated: ids.filter((id, i) => ids.indexOf(id) !== i),
    outside: document.querySelectorAll("[src]:not([src^='data:']), link:not([href^='data:']), style ~ style").length,
    scripts: [...document.scripts].filter((s) => s.type !== "application/json").length,
    text: document.body.innerText.length,
  };
}

async function open(browser, file, view) {
  const context = await browser.newContext({
    viewport: { width: view.width, height: 900 },
    colorScheme: view.scheme,
    offline: true,
    javaScriptEnabled: view.script,
    bypassCSP: false,
  });
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) said.push(`request: ${request.url()}`);
  });
  await page.goto(pathToFileURL(resolve(file)).href);
  return { context, page, said };
}

async function shoot(page, file, name, fullPage) {
  if (!options.shots) return;
  const path = join(options.shots, `${basename(file, ".html")}-${name}.png`);
  await page.screenshot({ path, fullPage });
}

// The page's policy forbids any further script, so axe is evaluated from outside of it.
async function seriousViolations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join("; ")}`);
}

async function checkView(browser, file, view) {
  const name = `${view.width}-${view.scheme}`;
  const { context, page, said } = await open(browser, file, view);
  // Hidden tables must fit too.
  for (const opened of [false, true]) {
    const state = opened ? `${name}, details open` : name;
    if (opened) await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
    const seen = await page.evaluate(inspect);
    expect(seen.overflow <= 0, file, state, `scrolls sideways by ${seen.overflow} px`);
    expect(seen.emptyCharts === 0, file, state, `${seen.emptyCharts} charts without a point`);
    expect(seen.lost.length === 0, file, state, `links to nowhere: ${seen.lost.slice(0, 5)}`);
    expect(seen.repeated.length === 0, file, state, `ids used twice: ${seen.repeated.slice(0, 5)}`);
    expect(seen.outside === 0, file, state, "refers to something outside of the page");
    expect(seen.scripts === 1, file, state, `${seen.scripts} scripts instead of one`);
    for (const violation of await seriousViolations(page)) expect(false, file, state, violation);
    if (!opened) await shoot(page, file, name, true);
  }
  const area = page.locator("figure.chart svg.area").nth(1);
  if ((await area.count()) !== 0) {
    await area.scrollIntoViewIfNeeded();
    await area.hover();
    const tip = page.locator(".tip:not([hidden])");
    expect((await tip.count()) === 1, file, name, "no values are told under the pointer");
    await shoot(page, file, `${name}-hover`, false);
  }
  expect(said.length === 0, file, name, `said: ${said.slice(0, 3).join(" | ")}`);
  await context.close();
}

async function checkWithoutScript(browser, file) {
  const { context, page, said } = await open(browser, file, { width: 1280, scheme: "light", script: false });
  for (const heading of ["Verdict", "Validity"])
    expect(await page.getByRole("heading", { name: heading, exact: true }).isVisible(), file, "no script", `no heading ${heading}`);
  expect(said.length === 0, file, "no script", `said: ${said.slice(0, 3).join(" | ")}`);
  if (options.shots) {
    await page.emulateMedia({ media: "print" });
    await page.pdf({ path: join(options.shots, `${basename(file, ".html")}.pdf`), format: "A4" });
  }
  await context.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  for (const file of files) {
    const size = readFileSync(file).length;
    expect(size <= largestPage, file, "file", `${size} bytes, more than ${largestPage}`);
    for (const width of widths)
      for (const scheme of schemes) await checkView(browser, file, { width, scheme, script: true });
    await checkWithoutScript(browser, file);
    console.log(`${basename(file)}: looked at`);
  }
} finally {
  await browser.close();
}
console.log(failures === 0 ? "all pages are sound" : `${failures} failures`);
process.exit(failures === 0 ? 0 : 1);

// Opens HTML reports in Chromium, with the network off, as a reader would: light and dark, on a
// wide screen and on a phone, with and without JavaScript, and on paper.
//
//   node report.mjs [--shots DIRECTORY] FILE.html...
//
// Reports, comparisons, histories of runs and differential flame graphs alike.
// Fails when the page asks for anything, says anything in the console, scrolls sideways, has an
// empty chart, texts that touch, columns hidden without a sign, a link to nowhere, a flame graph that cannot be read, zoomed or searched, or a
// violation that axe calls serious. CHROMIUM names the browser
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
      area.querySelectorAll(".bar, rect[class^='l-']").length,
  );
  const lost = [...document.querySelectorAll("a[href^='#']")]
    .map((a) => a.getAttribute("href").slice(1))
    .filter((id) => !document.getElementById(id));
  // Texts of a chart: ticks, legend, marks. Boxes are a little larger than what is drawn.
  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  const touching = [...document.querySelectorAll("figure.chart")].flatMap((figure) => {
    const texts = [...figure.querySelectorAll(".plot text, .legend li, figcaption")].map((el) => [el.textContent, el.getBoundingClientRect()]);
    return texts.flatMap(([words, box], i) =>
      texts.slice(i + 1).filter(([, other]) => meet(box, other)).map(([other]) => `${figure.id}: ${words} / ${other}`));
  });
  const unshaded = [...document.querySelectorAll(".scroll")].filter(
    (el) => el.scrollWidth > el.clientWidth && !getComputedStyle(el).backgroundAttachment.includes("local"));
  const answer = document.querySelector("#matrix-table thead th:nth-child(7)");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    touching,
    unshaded: unshaded.length,
    answerHidden: answer !== null && answer.getBoundingClientRect().right > document.documentElement.clientWidth,
    emptyCharts: dots.filter((n) => n === 0).length,
    lost,
    repeated: ids.filter((id, i) => ids.indexOf(id) !== i),
    outside: document.querySelectorAll("[src]:not([src^='data:']), link:not([href^='data:']), style ~ style").length,
    spilt: [...document.querySelectorAll("svg.flames > svg > svg")].filter((box) => {
      if (!box.checkVisibility()) return false;
      const text = box.querySelector("text");
      const room = box.getBoundingClientRect().width;
      // The script shortens names to their boxes; a pixel is for rounding.
      return text && text.textContent !== "" && text.getComputedTextLength() + 3 > room + 1;
    }).length,
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
    expect(seen.touching.length === 0, file, state, `texts that touch: ${seen.touching.slice(0, 3).join("; ")}`);
    expect(seen.unshaded === 0, file, state, `${seen.unshaded} tables hide columns without a sign`);
    // Names made to harm may push it out.
    const forged = /hostile|forged/.test(basename(file));
    expect(forged || !seen.answerHidden, file, state, "the matrix's answers are beyond the edge");
    expect(seen.emptyCharts === 0, file, state, `${seen.emptyCharts} charts without a point`);
    expect(seen.lost.length === 0, file, state, `links to nowhere: ${seen.lost.slice(0, 5)}`);
    expect(seen.repeated.length === 0, file, state, `ids used twice: ${seen.repeated.slice(0, 5)}`);
    expect(seen.outside === 0, file, state, "refers to something outside of the page");
    expect(seen.spilt === 0, file, state, `${seen.spilt} names are wider than their boxes`);
    expect(seen.scripts === 1, file, state, `${seen.scripts} scripts instead of one`);
    for (const violation of await seriousViolations(page)) expect(false, file, state, violation);
    if (!opened) await shoot(page, file, name, true);
  }
  const watched = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).charts.map((chart) => chart.id));
  for (const id of watched) {
    await page.locator(`#${id} svg.area`).hover();
    const tip = page.locator(`#${id} .tip:not([hidden])`);
    expect((await tip.count()) === 1, file, name, `${id}: no values are told under the pointer`);
    if (id === watched[0]) await shoot(page, file, `${name}-hover`, false);
  }
  await checkFlames(page, file, name);
  expect(said.length === 0, file, name, `said: ${said.slice(0, 3).join(" | ")}`);
  await context.close();
}

// What the first flame graph of the page shows now.
function readFlames() {
  const graph = document.querySelector("figure.flame svg.flames");
  const whole = graph.getBoundingClientRect().width;
  const boxes = [...graph.querySelectorAll(":scope > svg > svg")];
  const visible = boxes.filter((box) => !box.classList.contains("gone"));
  const chosen = graph.querySelector(".at > title");
  return {
    visible: visible.length,
    full: visible.filter((box) => box.getBoundingClientRect().width > whole - 1.5).length,
    found: boxes.filter((box) => box.classList.contains("found")).length,
    chosen: chosen ? chosen.textContent.split("\n")[0] : "",
    told: document.querySelector("figure.flame .flame-told").textContent,
    matches: document.querySelector("figure.flame .flame-tools span").textContent,
  };
}

async function checkFlames(page, file, name) {
  const figure = page.locator("figure.flame").first();
  if ((await figure.count()) === 0) return;
  const graph = figure.locator("svg.flames");
  const whole = await page.evaluate(readFlames);
  expect(whole.visible > 3, file, name, `a flame graph of ${whole.visible} boxes`);
  await graph.scrollIntoViewIfNeeded();

  // A box that is neither the whole nor too narrow to hit; where one path has nearly everything there
  // is none.
  const index = await graph.evaluate((svg) => {
    const width = svg.getBoundingClientRect().width;
    const shares = [...svg.querySelectorAll(":scope > svg > svg")].map((box) => box.getBoundingClientRect().width / width);
    return shares.findIndex((share) => share > 0.05 && share < 0.7);
  });
  if (index > 0) {
    const box = graph.locator(":scope > svg > svg").nth(index);
    const title = (await box.locator("title").textContent()).split("\n")[0];
    await box.hover({ force: true });
    const hovered = await page.evaluate(readFlames);
    expect(hovered.told.startsWith(title), file, name, `the box under the pointer is not told: ${hovered.told}`);
    await shoot(page, file, `${name}-flame`, false);
    await box.click({ force: true });
    const zoomed = await page.evaluate(readFlames);
    expect(zoomed.visible < whole.visible, file, name, "a click does not zoom in");
    expect(zoomed.full > whole.full || zoomed.full > 2, file, name, "the box zoomed into is not as wide as the graph");
    await shoot(page, file, `${name}-flame-zoomed`, false);
    await figure.getByRole("button", { name: "Whole picture" }).click();
    const again = await page.evaluate(readFlames);
    expect(again.visible === whole.visible, file, name, "the whole does not come back");
  }

  // The same by keys alone.
  await graph.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const walked = await page.evaluate(readFlames);
  expect(walked.chosen !== "" && walked.chosen !== "all", file, name, "arrow keys do not walk");
  expect(walked.told.startsWith(walked.chosen), file, name, "what is walked to is not told");
  for (let i = 0; i < 40 && (await page.evaluate(readFlames)).visible === whole.visible; ++i) {
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
  }
  expect((await page.evaluate(readFlames)).visible < whole.visible, file, name, "Enter does not zoom in");
  await page.keyboard.press("Escape");
  expect((await page.evaluate(readFlames)).visible === whole.visible, file, name, "Escape does not zoom out");

  const field = figure.getByRole("searchbox");
  await field.fill(walked.chosen.slice(0, 12).toUpperCase());
  const searched = await page.evaluate(readFlames);
  expect(searched.found > 0, file, name, "a search for what is there finds nothing");
  expect(/^[\d.,]+% of the whole/.test(searched.matches), file, name, `a search says ${searched.matches}`);
  await shoot(page, file, `${name}-flame-searched`, false);
  await field.fill("");
  expect((await page.evaluate(readFlames)).found === 0, file, name, "an emptied search keeps its marks");
}

async function checkWithoutScript(browser, file) {
  const { context, page, said } = await open(browser, file, { width: 1280, scheme: "light", script: false });
  const flames = page.locator("figure.flame");
  const headings = await page.locator("h2").allTextContents();
  const kinds = [["Verdict", "Validity"], ["Verdict", "The runs"], ["Conclusion", "Changes"], ["Flame graph", "Functions"]];
  if ((await flames.count()) !== 0) {
    const boxes = await flames.first().locator("svg.flames > svg > svg > text").count();
    expect(boxes > 3, file, "no script", `a flame graph with ${boxes} names`);
    await flames.first().scrollIntoViewIfNeeded();
    await shoot(page, file, "no-script-flame", false);
  }
  const whole = kinds.some((kind) => kind.every((heading) => headings.includes(heading)));
  expect(whole, file, "no script", `headings ${headings}`);
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

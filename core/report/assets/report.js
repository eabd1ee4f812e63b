// Tells the values under the pointer, zooms into flame graphs and searches them. Everything can be
// read without it.
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const svg = "http://www.w3.org/2000/svg";

  function grouped(value, digits) {
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  function plain(value) {
    const size = Math.abs(value);
    return grouped(value, size >= 100 || value === Math.round(value) ? 0 : size >= 10 ? 1 : 2);
  }
  function told(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "ratio") return grouped(value * 100, 1) + "%";
    if (unit === "ms") return plain(value) + " ms";
    if (unit === "seconds") return plain(value * 1000) + " ms";
    if (unit === "bytes" || unit === "bytes/s") {
      const units = ["B", "KiB", "MiB", "GiB", "TiB"];
      let i = 0;
      for (; Math.abs(value) >= 1024 && i < 4; ++i) value /= 1024;
      return grouped(value, i ? 1 : 0) + " " + units[i] + (unit === "bytes/s" ? "/s" : "");
    }
    if (unit === "requests/s") return plain(value) + "/s";
    if (unit === "seconds/s" || unit === "1" || unit === "") return plain(value);
    return plain(value) + " " + unit;
  }
  function clock(seconds) {
    if (seconds < 120) return grouped(seconds, 1) + " s";
    const whole = Math.floor(seconds);
    const rest = String(whole % 60).padStart(2, "0");
    return Math.floor(whole / 60) + ":" + rest;
  }

  function watch(chart) {
    const figure = document.getElementById(chart.id);
    const area = figure && figure.querySelector("svg.area");
    const count = Math.max(...chart.lines.map((line) => line.values.length));
    if (!area || count < 1) return;
    const plot = area.parentNode;
    const height = area.viewBox.baseVal.height;
    const cross = document.createElementNS(svg, "path");
    cross.setAttribute("class", "cross");
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("aria-hidden", "true");
    tip.hidden = true;

    function show(event) {
      const box = area.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      const index = Math.min(count - 1, Math.max(0, Math.floor(share * count)));
      const middle = (index + 0.5) / count;
      cross.setAttribute("d", "M" + middle * 1000 + " 0V" + height);
      if (!cross.parentNode) area.appendChild(cross);
      tip.textContent = "";
      const head = document.createElement("b");
      if (chart.places) {
        head.textContent = chart.places[index];
      } else {
        const from = chart.begin + index * chart.interval;
        head.textContent = clock(from) + " to " + clock(from + chart.interval);
      }
      tip.appendChild(head);
      for (const line of chart.lines) {
        const row = document.createElement("span");
        row.textContent = (line.name ? line.name + "  " : "") + told(line.values[index], chart.unit);
        tip.appendChild(row);
      }
      tip.hidden = false;
      if (!tip.parentNode) plot.appendChild(tip);
      const left = box.left - plot.getBoundingClientRect().left + middle * box.width;
      const room = plot.clientWidth - tip.offsetWidth;
      tip.style.left = Math.max(0, Math.min(left > room - 12 ? left - tip.offsetWidth - 12 : left + 12, room)) + "px";
    }
    function hide() {
      tip.hidden = true;
      cross.remove();
    }
    area.addEventListener("pointermove", show);
    area.addEventListener("pointerdown", show);
    area.addEventListener("pointerleave", hide);
  }

  // The boxes of a flame graph, each with its caller and what it called.
  function boxesOf(graph) {
    const rows = [...graph.children].map((row, depth) =>
      [...row.children].map((el) => {
        const words = el.querySelector("title").textContent;
        const end = words.indexOf("\n");
        return {
          el, depth, name: words.slice(0, end), told: words.slice(end + 1), below: [], parent: null,
          x: parseFloat(el.getAttribute("x")), w: parseFloat(el.getAttribute("width")),
        };
      }).sort((a, b) => a.x - b.x));
    for (let depth = 1; depth < rows.length; ++depth) {
      const above = rows[depth - 1];
      let at = 0;
      for (const box of rows[depth]) {
        const middle = box.x + box.w / 2;
        while (at + 1 < above.length && above[at + 1].x <= middle) ++at;
        box.parent = above[at];
        box.parent.below.push(box);
      }
    }
    return rows.flat();
  }

  function light(figure) {
    const graph = figure.querySelector("svg.flames");
    if (!graph || !graph.firstElementChild) return;
    const boxes = boxesOf(graph);
    const root = boxes[0];
    const byElement = new Map(boxes.map((box) => [box.el, box]));
    let zoomed = root;
    let at = null;

    const tools = document.createElement("div");
    tools.className = "flame-tools";
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Search functions";
    field.setAttribute("aria-label", "Search functions");
    const reset = document.createElement("button");
    reset.type = "button";
    reset.textContent = "Whole picture";
    const found = document.createElement("span");
    const told = document.createElement("p");
    told.className = "flame-told";
    told.setAttribute("role", "status");
    tools.append(field, reset, found, told);
    graph.before(tools);

    function isWithin(box, outer) {
      for (let one = box; one; one = one.parent) if (one === outer) return true;
      return false;
    }
    function label(box, pixels) {
      const room = Math.floor((pixels - 6) / 6.62);
      const words = room < 3 ? "" : box.name.length <= room ? box.name : box.name.slice(0, room - 1) + "…";
      let text = box.el.querySelector("text");
      if (!text && words) {
        text = document.createElementNS(svg, "text");
        text.setAttribute("x", "3");
        text.setAttribute("y", "12");
        box.el.appendChild(text);
      }
      if (text) text.textContent = words;
    }
    function draw() {
      const width = graph.getBoundingClientRect().width;
      for (const box of boxes) {
        const past = box !== zoomed && isWithin(zoomed, box);
        const gone = !past && !isWithin(box, zoomed);
        box.el.classList.toggle("past", past);
        box.el.classList.toggle("gone", gone);
        if (gone) continue;
        const share = past ? 100 : (100 * box.w) / zoomed.w;
        box.el.setAttribute("x", (past ? 0 : (100 * (box.x - zoomed.x)) / zoomed.w) + "%");
        box.el.setAttribute("width", share + "%");
        label(box, (share / 100) * width);
      }
      reset.disabled = zoomed === root;
    }
    function tell(box) {
      told.textContent = box ? box.name + ": " + box.told
        : "Point at a box to read what it is; click or tap to zoom in.";
    }
    function choose(box) {
      if (at) at.el.classList.remove("at");
      at = box;
      if (at) at.el.classList.add("at");
      tell(at);
    }
    function zoom(box) {
      zoomed = box;
      draw();
    }
    function search() {
      const wanted = field.value.trim().toLowerCase();
      let share = 0;
      for (const box of boxes) {
        // The root is no function; a match within a match counts once.
        box.match = wanted !== "" && box !== root && box.name.toLowerCase().includes(wanted);
        box.matched = box.match || (box.parent !== null && box.parent.matched);
        box.el.classList.toggle("found", box.match);
        if (box.match && !(box.parent && box.parent.matched)) share += box.w;
      }
      found.textContent = wanted === "" ? "" : grouped(share, 1) + "% of the whole matches";
    }
    function neighbour(box, step) {
      const row = boxes.filter((one) => one.depth === box.depth && !one.el.classList.contains("gone"));
      return row[row.indexOf(box) + step] || box;
    }
    function widest(list) {
      return list.reduce((best, one) => (!best || one.w > best.w ? one : best), null);
    }
    const keys = {
      ArrowUp: (box) => choose(box.parent || box),
      ArrowDown: (box) => choose(widest(box.below) || box),
      ArrowLeft: (box) => choose(neighbour(box, -1)),
      ArrowRight: (box) => choose(neighbour(box, 1)),
      Home: () => choose(root),
      Enter: (box) => zoom(box),
      " ": (box) => zoom(box),
      Escape: () => zoom(root),
    };
    const boxAt = (event) => byElement.get(event.target.closest("svg"));

    figure.classList.add("live");
    graph.setAttribute("tabindex", "0");
    graph.setAttribute("role", "application");
    graph.setAttribute("aria-label", graph.getAttribute("aria-label") +
      " Arrow keys move between functions, Enter zooms in, Escape shows the whole again.");
    graph.addEventListener("pointermove", (event) => tell(boxAt(event)));
    graph.addEventListener("pointerleave", () => tell(at));
    graph.addEventListener("click", (event) => {
      const box = boxAt(event);
      if (!box) return;
      choose(box);
      zoom(box);
    });
    graph.addEventListener("focus", () => {
      if (!at) choose(zoomed);
    });
    graph.addEventListener("keydown", (event) => {
      const act = keys[event.key];
      if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act(at || zoomed);
    });
    field.addEventListener("input", search);
    reset.addEventListener("click", () => {
      choose(null);
      zoom(root);
    });
    window.addEventListener("resize", draw);
    tell(null);
    draw();
  }

  data.charts.forEach(watch);
  document.querySelectorAll("figure.flame").forEach(light);
})();

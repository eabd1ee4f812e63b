// Tells the values under the pointer. Everything can be read without it.
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
      const from = chart.begin + index * chart.interval;
      const head = document.createElement("b");
      head.textContent = clock(from) + " to " + clock(from + chart.interval);
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

  data.charts.forEach(watch);
})();

"use strict";
// Values under the pointer, the order of filters, copying of commands, and the reload of a running training.

const data = JSON.parse(document.getElementById("data").textContent);

function element(svg, name, attributes) {
  const made = document.createElementNS(svg.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Five digits, as the page has them; the metrics have more.
function shown(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential(2);
  return String(Number(value.toPrecision(6))).replace("-", "\u2212");
}

// How values become places: see chart/axis.rs.
function warp(scale, value) {
  if (scale === "linear") return value;
  return scale === "log" ? Math.log(value) : Math.asinh(value / scale);
}

function place(chart, x, y) {
  const [left, top, right, bottom] = chart.frame;
  const [low, high] = chart.y.map((end) => warp(chart.scale, end));
  const share = (x - chart.x[0]) / (chart.x[1] - chart.x[0]);
  const height = Math.min(1, Math.max(0, (warp(chart.scale, y) - low) / (high - low)));
  return [left + share * (right - left), bottom - height * (bottom - top)];
}

// The point of a line that is nearest to an epoch; epochs rise.
function nearest(xs, epoch) {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < epoch) low = middle;
    else high = middle;
  }
  return Math.abs(xs[low] - epoch) <= Math.abs(xs[high] - epoch) ? low : high;
}

function point(figure, epoch, tells) {
  const chart = data.charts[figure.dataset.chart];
  const svg = figure.querySelector("svg");
  figure.querySelectorAll(".over,.tip").forEach((old) => old.remove());
  const over = element(svg, "g", { class: "over" });
  const rows = [];
  let at = null;
  for (const line of chart.lines) {
    if (!line.x.length) continue;
    const index = nearest(line.x, epoch);
    const [x, y] = place(chart, line.x[index], line.y[index] * chart.times);
    if (at === null) at = { x, epoch: line.x[index] };
    over.append(element(svg, "circle", { class: "f" + line.colour, cx: x, cy: y, r: 4.5 }));
    rows.push([line, index]);
  }
  if (at === null) return;
  const [, top, , bottom] = chart.frame;
  over.prepend(element(svg, "path", { class: "cross", d: `M${at.x} ${top}V${bottom}` }));
  svg.append(over);
  if (!tells) return;
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.append("epoch " + at.epoch);
  for (const [line, index] of rows) {
    const row = document.createElement("div");
    const key = document.createElement("i");
    key.className = "b" + line.colour;
    const unit = chart.unit === "%" ? " %" : "";
    let text = (line.name ? line.name + ": " : "") + shown(line.y[index] * chart.times) + unit;
    if (line.x[index] !== at.epoch) text += ` (epoch ${line.x[index]})`;
    if (line.interval) text += ` [${shown(line.interval[index][0])}, ${shown(line.interval[index][1])}]`;
    row.append(key, text);
    tip.append(row);
  }
  figure.append(tip);
  const [width, scale] = [figure.clientWidth, figure.clientWidth / svg.viewBox.baseVal.width];
  const left = at.x * scale + 14;
  tip.style.left = Math.max(0, left + tip.offsetWidth > width ? at.x * scale - tip.offsetWidth - 14 : left) + "px";
  tip.style.top = (top + 6) * scale + "px";
}

function clear(group) {
  group.querySelectorAll(".over,.tip").forEach((old) => old.remove());
}

for (const figure of document.querySelectorAll(".chart")) {
  const chart = data.charts[figure.dataset.chart];
  const svg = figure.querySelector("svg");
  const group = figure.parentElement;
  let epoch = chart.x[1];
  const tell = () => group.querySelectorAll(".chart").forEach((other) => point(other, epoch, other === figure));
  const move = (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const [left, , right] = chart.frame;
    epoch = chart.x[0] + (Math.min(1, Math.max(0, (x - left) / (right - left)))) * (chart.x[1] - chart.x[0]);
    tell();
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", () => clear(group));
  figure.tabIndex = 0;
  figure.addEventListener("blur", () => clear(group));
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const xs = chart.lines[0].x;
    const next = Math.min(xs.length - 1, Math.max(0, nearest(xs, epoch) + step));
    epoch = xs[next];
    tell();
  });
}

// Filters stand in one picture; they are put onto a canvas in the order that is asked for.
function filters(box) {
  const info = JSON.parse(box.dataset.filters);
  const [holder, image, told] = [box.querySelector(".sprite"), box.querySelector("img"), box.querySelector(".told")];
  const picture = info.height > 1;
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const gap = picture ? 3 : 0;
  let order = Array.from({ length: info.shown }, (_, unit) => unit);
  let [scale, columns] = [1, 1];

  function draw() {
    const room = Math.max(200, holder.clientWidth - 2);
    scale = picture ? Math.max(1, Math.min(16, Math.round(52 / Math.max(info.width, info.height)))) : Math.max(2, Math.min(16, Math.floor(room / info.width)));
    columns = picture ? Math.max(1, Math.floor((room + gap) / (info.width * scale + gap))) : 1;
    columns = Math.min(columns, info.shown);
    const [wide, high] = [info.width * scale + gap, (picture ? info.height * scale : 8) + gap];
    canvas.width = columns * wide;
    canvas.height = Math.ceil(info.shown / columns) * high;
    pen.imageSmoothingEnabled = false;
    order.forEach((unit, slot) => {
      const [sx, sy] = [(unit % info.columns) * info.width, Math.floor(unit / info.columns) * info.height];
      const [x, y] = [(slot % columns) * wide, Math.floor(slot / columns) * high];
      pen.drawImage(image, sx, sy, info.width, info.height, x, y, wide - gap, high - gap);
    });
  }

  function sorted(key) {
    order = Array.from({ length: info.shown }, (_, unit) => unit);
    const falling = (values) => (a, b) => values[b] - values[a] || a - b;
    if (key === "class") {
      const strength = info.activity || info.norm;
      order.sort((a, b) => info.class[a] - info.class[b] || falling(strength)(a, b));
    } else if (key !== "unit") {
      order.sort(falling(info[key]));
    }
    box.querySelectorAll("[data-order]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.order === key));
    box.dataset.order = order.slice(0, 5).join(",");
    draw();
  }

  canvas.addEventListener("pointermove", (event) => {
    const [wide, high] = [info.width * scale + gap, (picture ? info.height * scale : 8) + gap];
    const slot = Math.floor(event.offsetY / high) * columns + Math.floor(event.offsetX / wide);
    const unit = order[slot];
    if (unit === undefined) return;
    let text = `unit ${unit}, norm ${shown(info.norm[unit])}`;
    if (info.activity) text += `, activity ${shown(info.activity[unit])}`;
    if (info.class) text += `, most active for ${info.names[info.class[unit]]}`;
    told.textContent = text;
  });
  box.querySelectorAll("[data-order]").forEach((button) => button.addEventListener("click", () => sorted(button.dataset.order)));
  image.replaceWith(canvas);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", image.alt);
  new ResizeObserver(draw).observe(holder);
  sorted("unit");
}

for (const box of document.querySelectorAll(".filters")) {
  const image = box.querySelector("img");
  image.decode().then(() => filters(box), () => {});
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "copied";
    } catch {
      // Without a clipboard the command is selected, to be copied by hand.
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    }
  });
}

document.body.classList.add("ready");

// A training that is going on writes this file again; how old it is tells whether it still does.
const refresh = Number(document.body.dataset.refresh);
if (refresh) {
  const live = document.querySelector(".live");
  const age = () => Math.max(0, Date.now() / 1000 - Number(live.dataset.written));
  const tell = () => {
    const seconds = age();
    const words = seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
    live.textContent = `written ${words} ago; this page loads itself again`;
  };
  tell();
  setInterval(tell, 1000);
  setTimeout(() => location.reload(), refresh * 1000);
}

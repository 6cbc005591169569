// Complete: a picture of which a part is missing, and what the model puts there.

import { onColours } from "./colours.js";
import { byId, element, press, whole } from "./elements.js";
import { Pad } from "./pad.js";
import { paintIncomplete, paintPicture, picture } from "./pictures.js";

const SPEED = 15;

export class Complete {
  /** `sources` gives pictures by name: those of the other panes. */
  constructor(link, model, sources) {
    const { width, height } = model;
    Object.assign(this, { link, model, sources, running: false, restoring: false, energies: [], example: 0 });
    this.whole = new Float32Array(width * height);
    this.missing = new Uint8Array(width * height);
    this.values = this.whole;
    this.canvas = picture(width, height, "");
    this.pad = new Pad(this.canvas, "Picture to complete", "complete-help", {
      touch: (x, y) => this.wipe(x, y),
      stroke: () => this.begin(),
      key: (key) => key === "e" && (this.restore(!this.restoring), true),
    });
    byId("complete-pad").append(this.pad.frame);
    this.original = picture(width, height, "The whole picture");
    byId("original").prepend(this.original);
    for (const half of ["top", "bottom", "left", "right", "none"]) {
      byId(`erase-${half}`).addEventListener("click", () => this.erase(half));
    }
    byId("restore").addEventListener("click", () => this.restore(!this.restoring));
    byId("complete-run").addEventListener("click", () => this.run(!this.running));
    byId("complete-step").addEventListener("click", () => this.step());
    byId("complete-again").addEventListener("click", () => this.begin());
    byId("from-example").hidden = model.examples.length === 0;
    byId("from-example").addEventListener("click", () => this.take(model.examples[this.example++ % model.examples.length].pixels));
    byId("from-drawing").addEventListener("click", () => this.take(sources.drawing()));
    byId("from-dream").addEventListener("click", () => this.take(sources.dream()));
    const labels = byId("complete-label");
    labels.append(...model.classNames.map((name, label) => element("option", { value: label }, name)));
    labels.parentElement.hidden = model.classes === 0;
    labels.addEventListener("change", () => this.begin());
    link.on("completed", (message) => this.show(message));
    onColours(() => this.redraw());
    if (model.examples.length > 0) this.example = 1;
    // Without an example the first dream takes its place.
    this.untouched = model.examples.length === 0;
    this.whole.set(model.examples[0]?.pixels ?? sources.dream());
    this.erase("bottom");
  }

  take(pixels) {
    this.untouched = false;
    this.whole.set(pixels);
    this.begin();
  }

  wipe(x, y) {
    const { width, height } = this.model, reach = Math.min(width, height) / 9;
    if (this.running) this.run(false);
    for (let i = 0; i < this.missing.length; i++) {
      const near = Math.hypot((i % width) + 0.5 - x, Math.floor(i / width) + 0.5 - y) < reach;
      if (near) this.missing[i] = this.restoring ? 0 : 1;
    }
    this.values = Float32Array.from(this.whole, (value, i) => (this.missing[i] ? 0 : value));
    this.redraw();
  }

  /** Erases a half, or nothing. */
  erase(half) {
    const { width, height } = this.model;
    const is = {
      top: (_, y) => y < height / 2, bottom: (_, y) => y >= height / 2, left: (x) => x < width / 2,
      right: (x) => x >= width / 2, none: () => false,
    }[half];
    this.missing.forEach((_, i) => (this.missing[i] = is(i % width, Math.floor(i / width)) ? 1 : 0));
    this.begin();
  }

  restore(restoring) {
    this.restoring = restoring;
    press(byId("restore"), restoring);
  }

  /** Starts over from the picture without what is missing. */
  begin() {
    this.energies = [];
    this.stopped();
    this.link.send("complete", {
      pixels: this.whole, missing: this.missing,
      options: {
        seed: this.model.seed, probabilities: this.model.completesWithProbabilities,
        label: Number(byId("complete-label").value),
      },
    });
  }

  run(running) {
    this.running = running;
    byId("complete-run").textContent = running ? "Pause" : "Fill in";
    press(byId("complete-run"), running);
    this.link.send("completeRun", { running, speed: SPEED });
  }

  stopped() {
    this.running = false;
    byId("complete-run").textContent = "Fill in";
    press(byId("complete-run"), false);
  }

  step() {
    this.stopped();
    this.link.send("completeRun", { running: false, steps: 1 });
  }

  show(message) {
    if (this.running && !message.running && message.step > 0) this.stopped();
    this.result = message;
    this.values = message.pixels;
    if (message.step === 0) this.energies = [];
    if (this.energies.at(-1)?.[0] !== message.step) this.energies.push([message.step, message.freeEnergy]);
    requestAnimationFrame(() => {
      this.redraw();
      this.link.send("completeDrawn");
    });
  }

  redraw() {
    const { values, missing, energies, result, model } = this;
    paintIncomplete(this.canvas, values, missing);
    paintPicture(this.original, this.whole);
    if (!result || energies.length === 0) return;
    const [first, last] = [energies[0][1], energies.at(-1)[1]], change = Math.round(last - first);
    const said = energies.length === 1 || change === 0 ? "" : `, ${Math.abs(change)} ${change < 0 ? "below" : "above"} the start`;
    const label = model.classes > 0 && result.step > 0 ? ` · label ${model.classNames[result.label]}` : "";
    byId("complete-shown").textContent = `Step ${result.step}${label}`;
    byId("energy-said").textContent = `Free energy: ${whole(last)} nats${said}`;
    this.chart();
  }

  /** The free energy, step by step. */
  chart() {
    const [width, height, edge] = [320, 76, 4];
    // The noise at the start would press all that follows flat.
    const energies = this.energies.length > 1 ? this.energies.slice(1) : this.energies;
    const values = energies.map(([, energy]) => energy), [low, high] = [Math.min(...values), Math.max(...values)];
    const begun = energies[0][0], last = Math.max(1, energies.at(-1)[0] - begun), spread = Math.max(high - low, 1);
    const points = energies.map(([step, energy]) => {
      const x = edge + ((width - 2 * edge) * (step - begun)) / last, y = edge + ((height - 2 * edge) * (high - energy)) / spread;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    byId("energy-line").setAttribute("points", points.join(" "));
    byId("energy-high").textContent = whole(high);
    byId("energy-low").textContent = whole(low);
    byId("energy-steps").textContent = `${energies.at(-1)[0]} steps`;
  }
}

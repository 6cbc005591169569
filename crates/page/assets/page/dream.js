// Dream: chains of the top RBM, each shown by a pass down.

import { Activity } from "./activity.js";
import { onColours } from "./colours.js";
import { byId, counted, element, oneOf, press, still } from "./elements.js";
import { paintPicture, picture } from "./pictures.js";

const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 100000];
const EACH = "each", FREE = "free";

export class Dream {
  constructor(link, model, chosen) {
    Object.assign(this, { link, model, tiles: [], frame: null, running: false, held: { hidden: [], penultimate: [] } });
    const { classes, classNames } = model;
    this.clamp = classes > 0 ? EACH : FREE;
    const names = classNames.map((name, label) => [label, name, `every chain dreams of ${name}`]);
    const choices = [[EACH, "one of each", "one of each label"], [FREE, "free", "labels free"], ...names];
    const select = oneOf(byId("dream-labels"), choices, (value) => this.choose(value));
    select(this.clamp);
    byId("dream-labels").hidden = classes === 0;
    byId("dream-count").addEventListener("change", () => this.restart());
    byId("dream-seed").value = model.seed;
    byId("dream-seed").addEventListener("change", () => this.restart());
    byId("dream-run").addEventListener("click", () => this.run(!this.running));
    byId("dream-step").addEventListener("click", () => this.steps(1));
    byId("dream-leap").addEventListener("click", () => this.steps(100));
    byId("dream-restart").addEventListener("click", () => this.restart());
    byId("dream-speed").addEventListener("input", () => this.settings());
    byId("dream-heat").addEventListener("input", () => this.settings());
    const top = model.levels.length - 1;
    this.activity = new Activity(top, model.sizes[top], `${model.levels[top]} of the chosen chain`, chosen);
    byId("dream-walk").append(this.activity.frame);
    link.on("dreamt", (message) => this.show(message));
    onColours(() => this.redraw());
    this.restart();
    this.settings();
    if (!still()) this.run(true);
    // What nobody sees costs nothing.
    document.addEventListener("visibilitychange", () => this.rest());
    new IntersectionObserver(([entry]) => {
      this.away = !entry.isIntersecting;
      this.rest();
    }).observe(byId("dream"));
  }

  rest() {
    if (this.running) this.link.send("dreamRun", { running: !(this.away || document.hidden) });
  }

  choose(clamp) {
    this.clamp = clamp;
    this.restart();
  }

  /** Starts new chains with the seed that stands there. */
  restart() {
    const { model, clamp } = this, count = Number(byId("dream-count").value);
    const each = clamp === EACH;
    byId("dream-count").disabled = each;
    const labels = each ? model.classNames.map((_, label) => label) : clamp === FREE ? null : new Array(count).fill(clamp);
    const chains = labels?.length ?? count;
    this.arrange(chains);
    this.starts = labels && this.examplesOf(labels);
    this.link.send("dream", { count: chains, labels, seed: this.seed(), starts: this.starts });
  }

  /** Examples of these labels, each label's in turn, where chains start at such and each label has one; else null. */
  examplesOf(labels) {
    const { examples, startsAtExamples } = this.model, turns = new Map();
    if (!startsAtExamples) return null;
    const starts = labels.map((label) => {
      const own = examples.filter((example) => example.label === label), turn = turns.get(label) ?? 0;
      turns.set(label, turn + 1);
      return own.length > 0 ? own[turn % own.length].pixels : null;
    });
    return starts.includes(null) ? null : starts;
  }

  /** The seed: a whole number below 2^64. */
  seed() {
    const text = byId("dream-seed").value.trim(), fits = /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
    byId("dream-seed").setAttribute("aria-invalid", String(!fits));
    return fits ? text : this.model.seed;
  }

  arrange(chains) {
    const { width, height } = this.model;
    this.tiles = Array.from({ length: chains }, (_, chain) => {
      const canvas = picture(width, height, "");
      canvas.setAttribute("aria-hidden", "true");
      canvas.removeAttribute("role");
      canvas.removeAttribute("aria-label");
      const caption = element("span", { class: "caption" });
      const button = element("button", { type: "button", class: "tile", "aria-pressed": "false" }, canvas, caption);
      button.addEventListener("click", () => this.link.send("dreamSettings", { focus: chain }));
      return { canvas, caption, button };
    });
    byId("dreams").classList.toggle("few", chains <= 4);
    byId("dreams").classList.toggle("single", chains === 1);
    byId("dreams").replaceChildren(...this.tiles.map((tile) => tile.button));
  }

  run(running) {
    this.running = running;
    byId("dream-run").textContent = running ? "Pause" : "Run";
    press(byId("dream-run"), running);
    this.link.send("dreamRun", { running });
  }

  steps(steps) {
    this.run(false);
    this.link.send("dreamRun", { steps });
  }

  settings() {
    const speed = SPEEDS[byId("dream-speed").value], temperature = Number(byId("dream-heat").value);
    const fastest = speed > 1000;
    byId("dream-speed-shown").textContent = fastest ? "as fast as it goes" : `${speed} a second`;
    byId("dream-speed").setAttribute("aria-valuetext", fastest ? "as fast as it goes" : `${speed} steps a second`);
    byId("dream-heat-shown").textContent = temperature.toFixed(2);
    this.temperature = temperature;
    this.link.send("dreamSettings", { speed, temperature });
    this.redraw();
  }

  /** Holds units on or off: [unit, state] of the top level and of the one under it. */
  hold(held) {
    this.held = held;
    this.link.send("dreamSettings", { held });
  }

  show(message) {
    this.frame = message;
    requestAnimationFrame(() => {
      this.redraw();
      this.link.send("dreamDrawn");
    });
  }

  redraw() {
    const { frame, model } = this;
    if (!frame || frame.labels.length !== this.tiles.length) return;
    const pixels = model.width * model.height;
    this.tiles.forEach(({ canvas, caption, button }, chain) => {
      paintPicture(canvas, frame.pictures, chain * pixels);
      const name = model.classes > 0 ? model.classNames[frame.labels[chain]] : `${chain + 1}`;
      caption.textContent = name;
      button.setAttribute("aria-label", model.classes > 0 ? `Chain ${chain + 1}, label ${name}` : `Chain ${name}`);
      press(button, chain === frame.focus);
    });
    this.activity.show(frame.hidden);
    const rate = frame.running && frame.rate > 0 ? ` · ${counted(Math.round(frame.rate))} a second` : "";
    byId("dream-step-shown").textContent = `${counted(frame.step)}${rate}`;
    byId("dream-command").textContent = this.command();
  }

  /** The words that make the same chains on the command line. */
  command() {
    const { clamp, frame, model } = this;
    const isHeld = this.held.hidden.length + this.held.penultimate.length > 0;
    if (this.temperature !== 1 || isHeld) return "no command: the chains are heated or held";
    if (this.starts) return "no command: the chains start at examples of this page";
    const name = model.checkpoint, start = model.startsAtExamples && clamp !== FREE ? " --start noise" : "";
    const label = clamp === EACH ? "--label all --count 1" : `${clamp === FREE ? "" : `--label ${model.classNames[clamp]} `}--count ${this.tiles.length}`;
    return `dbn sample ${name} ${label} --steps ${frame.step} --seed ${this.seed()}${start} --out dreams.png`;
  }
}

// The units: the weights of one, its two sets side by side, and what it adds when it is switched on.

import { onColours } from "./colours.js";
import { byId, counted, element, oneOf, percent } from "./elements.js";
import { paintPicture, paintWeights, picture, robustLimit } from "./pictures.js";

const SHOWN = 48;

export class Touch {
  /** `activity(level)`: how active its units are on the drawing; `hold(held)`: holds units of the dream. */
  constructor(link, model, { activity, hold }) {
    Object.assign(this, { link, model, activity, hold, level: 1, unit: 0, page: 0, surveys: [], switched: [], asked: 0 });
    const levels = model.levels.slice(1).map((name, i) => [i + 1, `${name} · ${counted(model.sizes[i + 1])}`]);
    this.selectLevel = oneOf(byId("touch-levels"), levels, (level) => this.open(level));
    byId("touch-levels").hidden = levels.length < 2;
    byId("touch-order").addEventListener("change", () => this.open(this.level));
    this.selectSet = oneOf(
      byId("touch-set"),
      [["rec", "up", "Weights on the way up"], ["gen", "down", "Weights on the way down"]],
      (set) => {
        this.set = set;
        this.fetch();
      },
    );
    this.set = "gen";
    this.selectSet(this.set);
    byId("touch-before").addEventListener("click", () => this.turn(-1));
    byId("touch-next").addEventListener("click", () => this.turn(1));
    this.pictures = Object.fromEntries(
      ["rec", "gen", "apart", "without", "on", "adds"].map((name) => {
        const canvas = picture(model.width, model.height, byId(`unit-${name}`).dataset.label);
        byId(`unit-${name}`).prepend(canvas);
        return [name, canvas];
      }),
    );
    this.selectState = oneOf(
      byId("unit-state"),
      [[null, "as it is"], [1, "on"], [0, "off"]].map(([state, text]) => [state, text, `Unit ${text}`]),
      (state) => this.switch(state),
    );
    byId("unit-release").addEventListener("click", () => this.release());
    byId("unit-hold").addEventListener("change", () => this.holds());
    this.labels = model.classNames.map((name) => {
      const fill = element("span", { class: "fill" }), value = element("span", { class: "share" });
      const item = element("li", {}, element("span", { class: "class" }, name), element("span", { class: "track both", "aria-hidden": "true" }, fill), value);
      return { fill, value, item };
    });
    byId("unit-labels").append(...this.labels.map((label) => label.item));
    link.on("survey", (message) => this.surveyed(message));
    link.on("gallery", (message) => this.gallery(message));
    link.on("unit", (message) => this.show(message));
    onColours(() => this.redraw());
  }

  /** Shows the units of a level. */
  open(level) {
    if (level !== this.level) this.picked = false;
    this.level = level;
    this.page = 0;
    this.unit = Math.min(this.unit, this.model.sizes[level] - 1);
    this.selectLevel(level);
    if (this.surveys[level]) this.arrange();
    else this.link.send("survey", { level });
  }

  surveyed(message) {
    this.surveys[message.level] = message;
    if (message.level === this.level) this.arrange();
  }

  /** Puts the units in the order that is asked for. */
  arrange() {
    const { norms, differences, tied } = this.surveys[this.level];
    const by = {
      activity: this.activity(this.level) ?? norms, norm: norms, difference: differences, number: null,
    }[byId("touch-order").value];
    const units = Array.from({ length: this.model.sizes[this.level] }, (_, unit) => unit);
    this.order = by ? units.sort((a, b) => by[b] - by[a] || a - b) : units;
    byId("touch-set").hidden = tied;
    // There is none in a model without two sets anywhere.
    byId("touch-order").querySelector("[value=difference]")?.toggleAttribute("disabled", tied);
    this.fetch();
    if (!this.picked) this.display(this.level, this.order[0]);
  }

  /** The drawing is another one: units in the order of their activity change places. */
  refresh() {
    if (!this.order) this.open(this.level);
    else if (byId("touch-order").value === "activity") this.arrange();
  }

  turn(pages) {
    const last = Math.ceil(this.order.length / SHOWN) - 1;
    this.page = Math.min(last, Math.max(0, this.page + pages));
    this.fetch();
  }

  fetch() {
    const from = this.page * SHOWN, units = this.order.slice(from, from + SHOWN);
    byId("touch-place").textContent = `${counted(from + 1)} to ${counted(from + units.length)} of ${counted(this.order.length)}`;
    byId("touch-before").disabled = from === 0;
    byId("touch-next").disabled = from + SHOWN >= this.order.length;
    this.link.send("gallery", { level: this.level, units, set: this.set, id: ++this.asked });
  }

  gallery(message) {
    if (message.id !== this.asked) return;
    this.shown = message;
    const { width, height } = this.model;
    const tiles = message.units.map((unit, i) => {
      const canvas = picture(width, height, "");
      canvas.setAttribute("aria-hidden", "true");
      canvas.removeAttribute("role");
      canvas.removeAttribute("aria-label");
      paintWeights(canvas, message.pictures[i], robustLimit(message.pictures[i]));
      const button = element("button", { type: "button", class: "tile", "aria-label": `Unit ${unit}`, "aria-pressed": String(unit === this.unit) }, canvas);
      button.addEventListener("click", () => this.choose(message.level, unit));
      return button;
    });
    byId("touch-gallery").replaceChildren(...tiles);
  }

  /** Shows a unit; `clicked` switches it on, or back. */
  choose(level, unit, clicked = false) {
    this.picked = true;
    if (level !== this.level && clicked) this.open(level);
    this.display(level, unit, clicked);
  }

  display(level, unit, clicked) {
    this.unitLevel = level;
    this.unit = unit;
    if (clicked) this.switch(this.state() === null ? 1 : null);
    else this.ask();
    this.shown?.units.forEach((other, i) => {
      byId("touch-gallery").children[i]?.setAttribute("aria-pressed", String(other === unit && this.shown.level === level));
    });
  }

  /** How the unit is switched: 1, 0, or null. */
  state() {
    return this.switched.find(([level, unit]) => level === this.unitLevel && unit === this.unit)?.[2] ?? null;
  }

  switch(state) {
    this.switched = this.switched.filter(([level, unit]) => level !== this.unitLevel || unit !== this.unit);
    if (state !== null) this.switched.push([this.unitLevel, this.unit, state]);
    this.ask();
    this.holds();
  }

  release() {
    this.switched = [];
    this.ask();
    this.holds();
  }

  /** Holds the switched units of the top two levels in the dream, where that is asked for. */
  holds() {
    const top = this.model.levels.length - 1, on = byId("unit-hold").checked;
    const of = (wanted) => (on ? this.switched.filter(([level]) => level === wanted).map(([, unit, state]) => [unit, state]) : []);
    this.hold({ hidden: of(top), penultimate: top > 1 ? of(top - 1) : [] });
  }

  ask() {
    const units = this.activity(this.unitLevel);
    const switched = this.switched.filter(([level]) => level === this.unitLevel).map(([, unit, state]) => [unit, state]);
    this.link.send("unit", { level: this.unitLevel, unit: this.unit, units, switched, id: this.asked });
  }

  show(message) {
    if (message.level !== this.unitLevel || message.unit !== this.unit) return;
    this.result = message;
    this.redraw();
  }

  redraw() {
    const { result, model } = this;
    if (!result) return;
    const { level, unit, rec, gen, labels, added } = result;
    const top = model.levels.length - 1, p = this.activity(level)?.[unit];
    const name = { "Hidden units": `Hidden unit ${unit}`, "Top units": `Top unit ${unit}` }[model.levels[level]];
    byId("unit-name").textContent = name ?? `Unit ${unit} of ${model.levels[level].toLowerCase()}`;
    byId("unit-active").textContent = p === undefined ? "" : `On the drawing above it is on with ${percent(p)}.`;
    const limit = robustLimit(rec, gen), tied = rec.every((w, i) => Math.abs(w - gen[i]) <= 1e-4 * limit);
    paintWeights(this.pictures.rec, rec, limit);
    paintWeights(this.pictures.gen, gen, limit);
    paintWeights(this.pictures.apart, gen.map((w, i) => w - rec[i]), limit);
    byId("unit-rec").hidden = byId("unit-apart").hidden = tied;
    byId("unit-gen").querySelector("figcaption").textContent = tied ? "its weights" : "down: what it draws";
    byId("unit-added").hidden = !added;
    if (added) {
      paintPicture(this.pictures.without, added.without);
      paintPicture(this.pictures.on, added.on);
      const change = added.on.map((value, i) => value - added.without[i]);
      paintWeights(this.pictures.adds, change, Math.max(0.25, robustLimit(change)));
    }
    this.selectState(this.state());
    byId("unit-switched").textContent =
      this.switched.length === 0 ? "No unit is switched." : `${this.switched.length} switched: ${this.switched.map(([l, u, s]) => `${u}${top > 1 ? ` of layer ${l}` : ""} ${s ? "on" : "off"}`).join(", ")}.`;
    byId("unit-release").disabled = this.switched.length === 0;
    byId("unit-hold").disabled = level < top - 1 || (level === 0);
    byId("unit-labels").hidden = !labels;
    if (labels) {
      const most = Math.max(...labels.map(Math.abs), 1e-6);
      this.labels.forEach(({ fill, value }, label) => {
        const w = labels[label];
        fill.style.width = `${(50 * Math.abs(w)) / most}%`;
        fill.style.left = w < 0 ? `${50 - (50 * Math.abs(w)) / most}%` : "50%";
        fill.classList.toggle("negative", w < 0);
        value.textContent = w.toFixed(2);
      });
    }
  }
}

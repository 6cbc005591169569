// The activity of a level of units: a dot each, which one may point at, click and walk over with arrow keys.

import { counted, element, percent } from "./elements.js";
import { paintActivity } from "./pictures.js";

/** So many dots in a row that a level of `units` is about three times as wide as it is high, without a gap if it can. */
function columnsOf(units) {
  const least = Math.ceil(Math.sqrt(3.3 * units));
  for (let columns = least; columns <= 1.4 * least; columns++) if (units % columns === 0) return columns;
  return Math.min(units, least);
}

export class Activity {
  /** Of level `level` with `units`; `chosen(level, unit, clicked)` is called for a unit that is pointed at. */
  constructor(level, units, name, chosen) {
    Object.assign(this, { level, units, name, chosen, unit: 0, values: new Float32Array(units) });
    this.columns = columnsOf(units);
    this.rows = Math.ceil(units / this.columns);
    this.canvas = element("canvas", { width: this.columns, height: this.rows, "aria-hidden": "true", class: "picture" });
    this.mark = element("span", { class: "mark", "aria-hidden": "true" });
    this.frame = element(
      "div",
      {
        class: "activity", role: "slider", tabindex: 0, "aria-label": `${name}, ${counted(units)} units: choose one`,
        "aria-valuemin": 0, "aria-valuemax": units - 1, "aria-valuenow": 0,
      },
      this.canvas,
      this.mark,
    );
    this.frame.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(event, false));
    this.frame.addEventListener("click", (event) => this.point(event, true));
    this.frame.addEventListener("keydown", (event) => this.press(event));
    this.frame.addEventListener("focus", () => this.choose(this.unit, false));
    this.show(this.values);
  }

  /** Shows what is on. */
  show(values) {
    this.values = values;
    paintActivity(this.canvas, values);
    this.describe();
  }

  point(event, clicked) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
    const unit = row * this.columns + column;
    if (column >= 0 && column < this.columns && unit >= 0 && unit < this.units) this.choose(unit, clicked);
  }

  press(event) {
    const steps = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, Home: -this.unit,
      End: this.units - 1 - this.unit,
    };
    if (event.key in steps) {
      event.preventDefault();
      const unit = this.unit + steps[event.key];
      if (unit >= 0 && unit < this.units) this.choose(unit, false);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(this.unit, true);
    }
  }

  choose(unit, clicked) {
    this.mark_unit(unit);
    this.chosen(this.level, unit, clicked);
  }

  /** Marks a unit. */
  mark_unit(unit) {
    this.unit = unit;
    this.mark.style.left = `${((unit % this.columns) / this.columns) * 100}%`;
    this.mark.style.top = `${(Math.floor(unit / this.columns) / this.rows) * 100}%`;
    this.mark.style.width = `${100 / this.columns}%`;
    this.mark.style.height = `${100 / this.rows}%`;
    this.describe();
  }

  describe() {
    this.frame.setAttribute("aria-valuenow", this.unit);
    this.frame.setAttribute("aria-valuetext", `unit ${this.unit}, on with ${percent(this.values[this.unit] ?? 0)}`);
  }
}

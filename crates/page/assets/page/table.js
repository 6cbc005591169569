// A table: a card for each column with how its values are distributed; what one gives moves all others.

import { byId, counted, element, percent, press } from "./elements.js";

/** A number of a column, as short as it can be told. */
const shown = (value) => Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });

/** A column of levels: a button for each, with its share. */
class Levels {
  constructor(column, changed) {
    this.column = column;
    this.rows = column.levels.map((name, level) => {
      const fill = element("span", { class: "fill" }), before = element("span", { class: "before" });
      const share = element("span", { class: "share" });
      const track = element("span", { class: "track", "aria-hidden": "true" }, fill, before);
      const button = element("button", { type: "button", class: "row", "aria-pressed": "false" }, element("span", { class: "class" }, name), track, share);
      button.addEventListener("click", () => {
        this.chosen = this.chosen === level ? null : level;
        this.rows.forEach((row, other) => press(row.button, other === this.chosen));
        changed();
      });
      return { fill, before, share, button, name };
    });
    this.chosen = null;
    this.body = element("div", { class: "rows" }, ...this.rows.map((row) => row.button));
  }

  free() {
    this.chosen = null;
    this.rows.forEach((row) => press(row.button, false));
  }

  /** The values of its units, if it is given. */
  given() {
    const { column, chosen } = this;
    if (chosen === null) return null;
    if (column.kind === "categorical") return column.levels.map((_, level) => (level === chosen ? 1 : 0));
    return [column.kind === "spin" ? 2 * chosen - 1 : chosen];
  }

  show(shares, before) {
    this.rows.forEach((row, level) => {
      const p = this.chosen === null ? shares[level] : Number(level === this.chosen);
      row.fill.style.width = `${100 * p}%`;
      row.share.textContent = this.chosen === null ? percent(p) : this.chosen === level ? "given" : "";
      row.before.style.left = `${100 * before[level]}%`;
    });
  }
}

/** A column of numbers: a histogram, and a slider that gives a value. */
class Numbers {
  constructor(column, changed) {
    this.column = column;
    const id = `column-${column.number}`;
    this.chart = byId("histogram").content.firstElementChild.cloneNode(true);
    this.chart.setAttribute("aria-label", `Distribution of ${column.name}`);
    this.slider = element("input", { type: "range", min: 0, max: 100, step: 1, value: 50, id, "aria-label": column.name });
    this.held = element("input", { type: "checkbox", id: `${id}-held` });
    this.said = element("span", { class: "share" });
    const label = element("label", { class: "check", for: `${id}-held` }, this.held, "give");
    this.body = element("div", { class: "number" }, this.chart, this.slider, element("div", { class: "tools" }, label, this.said));
    this.slider.addEventListener("input", () => {
      this.held.checked = true;
      changed();
    });
    this.held.addEventListener("change", changed);
  }

  free() {
    this.held.checked = false;
  }

  value() {
    const { low, high } = this.column;
    return low + ((high - low) * Number(this.slider.value)) / 100;
  }

  given() {
    return this.held.checked ? [this.value()] : null;
  }

  /** A value of the model as one of the table. */
  cell(value) {
    return this.column.offset + this.column.scale * value;
  }

  show(shares, before, { mean, deviation }) {
    const most = Math.max(...shares, ...before, 1e-9), width = 300 / shares.length;
    const outline = (list) => list.map((share, bar) => {
      const top = (60 - (56 * share) / most).toFixed(1);
      return `${(bar * width).toFixed(1)},${top} ${((bar + 1) * width).toFixed(1)},${top}`;
    });
    const given = this.held.checked;
    this.chart.classList.toggle("given", given);
    this.chart.querySelector(".now").setAttribute("points", `0,60 ${outline(given ? shares.map(() => 0) : shares).join(" ")} 300,60`);
    this.chart.querySelector(".before").setAttribute("points", outline(before).join(" "));
    const { low, high } = this.column, at = (300 * (this.value() - low)) / (high - low);
    this.chart.querySelector(".at").setAttribute("transform", `translate(${at.toFixed(1)})`);
    const text = given ? `given: ${shown(this.cell(this.value()))}` : `${shown(this.cell(mean))} ± ${shown(Math.abs(this.column.scale) * deviation)}`;
    this.said.textContent = text;
    this.slider.setAttribute("aria-valuetext", given ? text : `${shown(this.cell(this.value()))}, not given`);
  }
}

export class Table {
  constructor(link, model) {
    Object.assign(this, { link, model, before: null });
    const changed = () => this.ask();
    const columns = [...model.columns];
    if (model.classes > 0) columns.push({ name: model.labelName, kind: "label", levels: model.classNames });
    this.cards = columns.map((column, number) => {
      const view = column.levels ? new Levels(column, changed) : new Numbers({ ...column, number }, changed);
      const card = element("section", { class: "pane card", "aria-label": column.name }, element("h2", {}, column.name), view.body);
      byId("columns").append(card);
      return view;
    });
    byId("free").addEventListener("click", () => {
      this.cards.forEach((card) => card.free());
      this.ask();
    });
    byId("find").addEventListener("input", () => this.find());
    byId("find").parentElement.hidden = columns.length < 12;
    link.on("given", (message) => this.show(message));
    this.ask();
  }

  find() {
    const wanted = byId("find").value.trim().toLowerCase();
    [...byId("columns").children].forEach((card) => (card.hidden = !card.getAttribute("aria-label").toLowerCase().includes(wanted)));
  }

  ask() {
    const given = this.cards.map((card) => card.given()), { model } = this;
    this.isFree = given.every((values) => values === null);
    const label = model.classes > 0 ? (this.cards.at(-1).chosen ?? -1) : -1;
    this.asked = (this.asked ?? 0) + 1;
    this.link.send("give", { given: given.slice(0, model.columns.length), label, seed: model.seed, id: this.asked });
  }

  show(message) {
    if (message.id !== this.asked) return;
    const { shares, moments, labels, draws, done } = message, { model } = this;
    const all = model.classes > 0 ? [...shares, labels] : shares;
    if (this.isFree) this.before = all;
    const before = this.before ?? all;
    requestAnimationFrame(() => this.cards.forEach((card, number) => card.show(all[number], before[number], moments[number])));
    const given = this.cards.filter((card) => card.given() !== null).length;
    byId("draws").textContent = `${given === 0 ? "Nothing given" : `${given} given`}; ${counted(draws)} rows drawn${done ? "" : ", and more coming"}.`;
  }
}

// Recognise: what one draws, the activity of each level, and the labels.

import { Activity } from "./activity.js";
import { onColours } from "./colours.js";
import { byId, counted, element, percent, press, whole } from "./elements.js";
import { Pad, centred, dab } from "./pad.js";
import { paintPicture, picture } from "./pictures.js";

export class Recognise {
  /** `chosen(level, unit, clicked)` is called for a unit, `said()` when a picture stays. */
  constructor(link, model, { chosen, said }) {
    const { width, height } = model;
    Object.assign(this, { link, model, said, busy: false, pending: false, erasing: false, result: null });
    this.values = new Float32Array(width * height);
    this.canvas = picture(width, height, "");
    this.pad = new Pad(this.canvas, "Drawing pad", "pad-help", {
      touch: (x, y) => this.dab(x, y),
      stroke: () => this.say(),
      key: (key) => this.key(key),
    });
    byId("draw-pad").append(this.pad.frame);
    this.seen = picture(width, height, "What reaches the model");
    this.made = picture(width, height, "What the model makes of it");
    byId("seen").prepend(this.seen);
    byId("made").prepend(this.made);
    this.bars = model.classNames.map((name) => this.bar(name));
    byId("labels").append(...this.bars.map((bar) => bar.item));
    byId("labels").hidden = model.classes === 0;
    byId("labels").classList.toggle("many", model.classes > 10);
    this.levels = model.levels.slice(1).map((name, i) => new Activity(i + 1, model.sizes[i + 1], name, chosen));
    this.levels.toReversed().forEach((level) => {
      const caption = element("span", { class: "caption" }, `${level.name} · ${counted(level.units)}`);
      byId("levels").append(element("div", { class: "level" }, caption, level.frame));
    });
    byId("clear").addEventListener("click", () => this.clear());
    byId("eraser").addEventListener("click", () => this.erase(!this.erasing));
    byId("example").addEventListener("click", () => this.example());
    byId("example").hidden = model.examples.length === 0;
    byId("centre").checked = model.centred;
    byId("centre").addEventListener("change", () => this.ask());
    link.on("recognised", (message) => this.show(message));
    onColours(() => this.redraw());
    this.redraw();
  }

  bar(name) {
    const fill = element("span", { class: "fill" }), share = element("span", { class: "share" });
    const track = element("span", { class: "track", "aria-hidden": "true" }, fill);
    return { name, fill, share, item: element("li", {}, element("span", { class: "class" }, name), track, share) };
  }

  dab(x, y) {
    const { width, height } = this.model, radius = Math.min(width, height) / (this.erasing ? 12 : 22);
    dab(this.values, width, height, x, y, radius, this.erasing ? 0 : 1);
    this.ask();
  }

  key(key) {
    const does = {
      e: () => this.erase(!this.erasing), Delete: () => this.clear(), Backspace: () => this.clear(),
      x: () => this.example(),
    }[key];
    does?.();
    return Boolean(does);
  }

  erase(erasing) {
    this.erasing = erasing;
    press(byId("eraser"), erasing);
  }

  clear() {
    this.values.fill(0);
    this.pad.lift();
    this.erase(false);
    this.ask();
    byId("verdict").textContent = "The square is empty.";
  }

  /** Takes the next example of the data. */
  example() {
    const { examples } = this.model;
    this.shown = ((this.shown ?? -1) + 1) % examples.length;
    const { pixels, label } = examples[this.shown];
    this.put(pixels);
    this.truth = label;
    this.sayNext = true;
  }

  /** Puts a picture on the pad. */
  put(pixels) {
    this.truth = null;
    this.values.set(pixels);
    this.pad.lift();
    this.erase(false);
    this.ask(false);
  }

  /** What reaches the model. */
  input() {
    const { width, height } = this.model;
    return byId("centre").checked && this.own ? centred(this.values, width, height) : Float32Array.from(this.values);
  }

  /** Asks the engine, one question at a time. `own`: whether it is a drawing, which may be centred. */
  ask(own = true) {
    this.own = own;
    paintPicture(this.canvas, this.values);
    this.pending = true;
    if (own) this.truth = null;
    if (this.busy) return;
    this.busy = true;
    this.pending = false;
    const pixels = this.input();
    paintPicture(this.seen, pixels);
    this.link.send("recognise", { pixels });
  }

  show(message) {
    this.busy = false;
    this.result = message;
    this.redraw();
    if (this.pending) this.ask(this.own);
    else if (this.sayNext) this.say();
  }

  redraw() {
    paintPicture(this.canvas, this.values);
    paintPicture(this.seen, this.input());
    const { result } = this;
    if (!result) return;
    paintPicture(this.made, result.reconstruction);
    this.levels.forEach((level) => level.show(result.levels[level.level]));
    const best = this.best();
    this.bars.forEach(({ fill, share, item }, label) => {
      const p = result.labels[label];
      fill.style.width = `${100 * p}%`;
      share.textContent = percent(p);
      item.classList.toggle("best", label === best);
    });
  }

  best() {
    const { labels } = this.result;
    return labels.length > 0 ? labels.indexOf(Math.max(...labels)) : -1;
  }

  /** Says what it looks like, for those who read and those who listen. */
  say() {
    if (this.busy) {
      this.sayNext = true;
      return;
    }
    this.sayNext = false;
    this.said();
    const best = this.best(), { classNames } = this.model;
    if (best < 0) {
      byId("verdict").textContent = `Free energy${this.model.levels.length > 2 ? " at the top" : ""}: ${whole(this.result.freeEnergy)} nats.`;
      return;
    }
    const truth = this.truth === null || this.truth === undefined ? "" : ` The data say ${classNames[this.truth]}.`;
    byId("verdict").textContent =
      `Looks like ${classNames[best]}, with ${percent(this.result.labels[best])}.${truth}`;
  }
}

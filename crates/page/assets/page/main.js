// The page: what is known of the model, and the panes.

import { Complete } from "./complete.js";
import { Dream } from "./dream.js";
import { byId, counted, element } from "./elements.js";
import { Link } from "./link.js";
import { Recognise } from "./recognise.js";
import { Touch } from "./touch.js";

const header = JSON.parse(byId("header").textContent);

/** What the panes know of the model. */
function described() {
  const { sizes, classes, class_names: names, examples, width, height } = header, pixels = width * height;
  const bytes = Uint8Array.from(atob(examples.pixels), (character) => character.charCodeAt(0));
  const depth = sizes.length - 1;
  const level = (l) => (l === 0 ? "Pixels" : l === depth ? (depth === 1 ? "Hidden units" : "Top units") : `Hidden layer ${l}`);
  return {
    width, height, sizes, classes, checkpoint: header.checkpoint, seed: header.seed, centred: header.centred,
    completesWithProbabilities: header.completes_with_probabilities,
    classNames: Array.from({ length: classes }, (_, label) => names[label] ?? String(label)),
    levels: sizes.map((_, l) => level(l)),
    examples: examples.labels.map((label, i) => ({
      label, pixels: Float32Array.from(bytes.subarray(i * pixels, (i + 1) * pixels), (value) => value / 255),
    })),
  };
}

function introduce(model) {
  const kind = model.sizes.length > 2 ? "A deep belief net" : "A restricted Boltzmann machine";
  const labels = model.classes > 0 ? ` and ${counted(model.classes)} labels` : "";
  byId("name").textContent = header.name;
  byId("summary").textContent =
    `${kind} of ${model.sizes.map(counted).join(" – ")} units${labels}` + (header.data ? `, trained on ${header.data}.` : ".");
  byId("facts").append(...header.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  if (model.sizes.length === 2) {
    byId("dream-lead").textContent =
      "Pixels and hidden units take turns in drawing each other; each step is shown. Dreams settle after some 500 steps.";
  }
  if (model.classes === 0) byId("recognise-lead").textContent = "Draw in the square, and watch the units answer.";
  byId("facts").hidden = header.facts.length === 0;
}

function start() {
  const model = described(), link = new Link();
  introduce(model);
  // For those who want the numbers: the last answer of the engine of each kind, and what it is asked.
  Object.assign(globalThis.deepbelief, { link, model });
  link.on("failed", ({ what }) => {
    byId("trouble").hidden = false;
    byId("trouble").textContent = `Something went wrong: ${what}`;
  });
  let recognise = null, dream = null;
  link.on("opened", () => {
    const pixels = model.width * model.height;
    const touched = (level, unit, clicked) => touch.choose(level, unit, clicked);
    recognise = new Recognise(link, model, { chosen: touched, said: () => touch.refresh() });
    dream = new Dream(link, model, touched);
    const drawing = () => recognise.input();
    const dreamt = () => {
      const frame = dream.frame;
      return frame ? frame.pictures.slice(frame.focus * pixels, (frame.focus + 1) * pixels) : new Float32Array(pixels);
    };
    const complete = new Complete(link, model, { drawing, dream: dreamt });
    const touch = new Touch(link, model, {
      activity: (level) => recognise.result?.levels[level],
      hold: (held) => dream.hold(held),
    });
    link.on("recognised", () => touch.order && touch.ask());
    if (model.examples.length > 0) {
      recognise.example();
    } else {
      recognise.clear();
      touch.refresh();
      link.on("dreamt", () => complete.untouched && complete.take(dreamt()));
    }
    document.body.classList.add("ready");
  });
  link.send("open", { header, weights: byId("weights").textContent });
}

start();

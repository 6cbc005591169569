// The page: what is known of the model, and the panes.

import { Complete } from "./complete.js";
import { Dream } from "./dream.js";
import { classNames, header, introduce, open } from "./head.js";
import { Recognise } from "./recognise.js";
import { Touch } from "./touch.js";

/** What the panes know of the model. */
function described() {
  const { sizes, classes, examples, width, height } = header, pixels = width * height;
  const bytes = Uint8Array.from(atob(examples.pixels), (character) => character.charCodeAt(0));
  const depth = sizes.length - 1;
  const level = (l) => (l === 0 ? "Pixels" : l === depth ? (depth === 1 ? "Hidden units" : "Top units") : `Hidden layer ${l}`);
  return {
    width, height, sizes, classes, checkpoint: header.checkpoint, seed: header.seed, centred: header.centred,
    completesWithProbabilities: header.completes_with_probabilities,
    startsAtExamples: header.starts_at_examples === true,
    classNames: classNames(),
    levels: sizes.map((_, l) => level(l)),
    examples: examples.labels.map((label, i) => ({
      label, pixels: Float32Array.from(bytes.subarray(i * pixels, (i + 1) * pixels), (value) => value / 255),
    })),
  };
}

function start(link, model) {
  const pixels = model.width * model.height;
  const touched = (level, unit, clicked) => touch.choose(level, unit, clicked);
  const recognise = new Recognise(link, model, { chosen: touched, said: () => touch.refresh() });
  const dream = new Dream(link, model, touched);
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
}

const model = described();
introduce();
open(model, (link) => start(link, model));

// Pictures of values: a dot of the canvas a value, which the style enlarges.

import { colours, shade } from "./colours.js";
import { element } from "./elements.js";

/** An empty picture of so many dots, described by `label`. */
export function picture(width, height, label, kind = "") {
  return element("canvas", { width, height, role: "img", "aria-label": label, class: `picture ${kind}` });
}

function paint(canvas, colourOf) {
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < words.length; i++) words[i] = colourOf(i);
  context.putImageData(image, 0, 0);
}

/** Values in [0, 1], from paper to ink. */
export function paintPicture(canvas, values, from = 0) {
  const { picture: table } = colours();
  paint(canvas, (i) => table[shade(values[from + i])]);
}

/** Values in [0, 1]; where `missing` is set the colour of what is missing shines through. */
export function paintIncomplete(canvas, values, missing) {
  const { picture: table, missing: tint } = colours();
  paint(canvas, (i) => {
    const word = table[shade(values[i])];
    if (!missing[i]) return word;
    const mixed = tint.map((channel, at) => Math.round(0.62 * ((word >>> (8 * at)) & 255) + 0.38 * channel));
    return (255 << 24) | (mixed[2] << 16) | (mixed[1] << 8) | mixed[0];
  });
}

/** Values below and above zero; `limit` has the full colour. */
export function paintWeights(canvas, values, limit) {
  const { below, above } = colours();
  paint(canvas, (i) => (values[i] < 0 ? below[shade(-values[i] / limit)] : above[shade(values[i] / limit)]));
}

/** Activity in [0, 1] of units, dots left over as if off. */
export function paintActivity(canvas, values) {
  const { activity } = colours();
  paint(canvas, (i) => activity[i < values.length ? shade(values[i]) : 0]);
}

/** The magnitude that 99 in 100 values stay below, so that a few large ones do not bleach the rest. Never zero. */
export function robustLimit(...lists) {
  const magnitudes = Float32Array.from(lists.flatMap((list) => Array.from(list, Math.abs))).sort();
  return Math.max(magnitudes[Math.floor(((magnitudes.length - 1) * 99) / 100)] ?? 1, 1e-6);
}

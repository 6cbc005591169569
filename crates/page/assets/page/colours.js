// Colours of values, made from the colours of the style, light or dark.

const dark = matchMedia("(prefers-color-scheme: dark)");
const shades = 255;
let tables = null;

/** Calls `redraw` when the colours change. */
export function onColours(redraw) {
  dark.addEventListener("change", () => {
    tables = null;
    redraw();
  });
}

function rgb(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

/** Colours from `from` to `to`, as words of a picture's memory. */
function ramp(from, to) {
  return Uint32Array.from({ length: shades + 1 }, (_, shade) => {
    const [r, g, b] = from.map((channel, i) => Math.round(channel + ((to[i] - channel) * shade) / shades));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}

/** The colours of pictures, of activity, and of weights below and above zero. */
export function colours() {
  tables ??= {
    picture: ramp(rgb("--paper"), rgb("--ink")),
    activity: ramp(rgb("--off"), rgb("--on")),
    below: ramp(rgb("--zero"), rgb("--cold")),
    above: ramp(rgb("--zero"), rgb("--warm")),
    missing: rgb("--missing"),
  };
  return tables;
}

/** The place of a value in [0, 1] among the shades. */
export function shade(value) {
  return Math.round(shades * Math.min(1, Math.max(0, value)));
}

// A picture that one draws on, with mouse, pen, finger or keys. Where the pen goes, `touch(x, y)` is called in dots.

import { element } from "./elements.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /** On `canvas`; `touch` is called along each stroke, `stroke` once when one ends, `key` with other keys. */
  constructor(canvas, label, help, { touch, stroke, key }) {
    Object.assign(this, { canvas, touch, stroke, key, down: false, last: null });
    this.at = [Math.floor(canvas.width / 2), Math.floor(canvas.height / 4)];
    this.cursor = element("span", { class: "cursor", "aria-hidden": "true" });
    this.frame = element(
      "div",
      { class: "pad", role: "application", tabindex: 0, "aria-label": label, "aria-describedby": help },
      canvas,
      this.cursor,
    );
    canvas.setAttribute("aria-hidden", "true");
    canvas.removeAttribute("role");
    canvas.removeAttribute("aria-label");
    this.frame.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
    this.frame.addEventListener("pointerdown", (event) => this.begin(event));
    this.frame.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.frame.addEventListener(end, () => this.end());
    this.frame.addEventListener("keydown", (event) => this.press(event));
    this.place();
  }

  /** Where an event is, in dots. */
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * this.canvas.width,
      ((event.clientY - box.top) / box.height) * this.canvas.height,
    ];
  }

  begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.frame.focus({ preventScroll: true, focusVisible: false });
    this.frame.setPointerCapture(event.pointerId);
    this.down = true;
    this.last = this.point(event);
    this.along(this.last, this.last);
  }

  move(event) {
    if (!this.down) return;
    // A browser gathers moves; all of them are drawn.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const each of moves.length > 0 ? moves : [event]) {
      const to = this.point(each);
      this.along(this.last, to);
      this.last = to;
    }
  }

  end() {
    if (!this.down) return;
    this.down = false;
    this.stroke();
  }

  /** Touches all places between two. */
  along([x0, y0], [x1, y1]) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(x1 - x0, y1 - y0)));
    for (let step = 0; step <= steps; step++) {
      this.touch(x0 + ((x1 - x0) * step) / steps, y0 + ((y1 - y0) * step) / steps);
    }
  }

  press(event) {
    const move = KEYS[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (move) {
      event.preventDefault();
      const from = this.at.map((place) => place + 0.5);
      const limits = [this.canvas.width - 1, this.canvas.height - 1];
      this.at = this.at.map((place, axis) => Math.min(limits[axis], Math.max(0, place + move[axis])));
      this.place();
      if (this.penDown) this.along(from, this.at.map((place) => place + 0.5));
    } else if (event.key === " ") {
      event.preventDefault();
      this.penDown = !this.penDown;
      this.place();
      if (this.penDown) this.along(...[0, 1].map(() => this.at.map((place) => place + 0.5)));
      else this.stroke();
    } else if (this.key(event.key)) {
      event.preventDefault();
    }
  }

  /** Lifts the pen that keys move. */
  lift() {
    this.penDown = false;
    this.place();
  }

  place() {
    const { cursor, canvas } = this;
    cursor.style.left = `${((this.at[0] + 0.5) / canvas.width) * 100}%`;
    cursor.style.top = `${((this.at[1] + 0.5) / canvas.height) * 100}%`;
    cursor.classList.toggle("down", Boolean(this.penDown));
  }
}

/** Draws a soft dot into grey values in [0, 1]; `to` is 1 for ink, 0 for paper. */
export function dab(values, width, height, x, y, radius, to) {
  const reach = Math.ceil(radius + 1);
  for (let row = Math.max(0, Math.floor(y - reach)); row < Math.min(height, y + reach + 1); row++) {
    for (let column = Math.max(0, Math.floor(x - reach)); column < Math.min(width, x + reach + 1); column++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
      const at = row * width + column;
      values[at] = to > 0 ? Math.max(values[at], cover) : Math.min(values[at], 1 - cover);
    }
  }
}

/**
 * A drawing as the digits of MNIST were prepared: its longer side 20 in 28 dots of the frame, its centre of mass in the
 * middle, if that leaves it in the frame. Empty drawings stay empty.
 */
export function centred(values, width, height) {
  let [left, right, top, bottom] = [width, -1, height, -1];
  values.forEach((value, i) => {
    if (value < 0.1) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  });
  if (right < 0) return Float32Array.from(values);
  const scale = ((20 / 28) * Math.min(width, height)) / Math.max(right - left + 1, bottom - top + 1);
  // Nearly right is left alone: scaling makes strokes softer.
  const factor = scale > 0.9 && scale < 1.15 ? 1 : scale;
  const from = (x, y, dx, dy) => {
    const [sx, sy] = [(x - dx) / factor - 0.5, (y - dy) / factor - 0.5];
    return averaged(values, width, height, sx, sy, Math.max(1, 1 / factor));
  };
  const place = (dx, dy) => Float32Array.from(values, (_, i) => from((i % width) + 0.5, Math.floor(i / width) + 0.5, dx, dy));
  const [dx, dy] = [(width - factor * (left + right + 1)) / 2, (height - factor * (top + bottom + 1)) / 2];
  const first = place(dx, dy);
  let [mass, mx, my] = [0, 0, 0];
  first.forEach((value, i) => {
    mass += value;
    mx += value * ((i % width) + 0.5);
    my += value * (Math.floor(i / width) + 0.5);
  });
  // No further than to a dot from the edge.
  const moved = (way, size, extent) => {
    const room = Math.max(0, (size - factor * extent) / 2 - 1);
    return Math.round(Math.min(room, Math.max(-room, way)));
  };
  const across = moved(width / 2 - mx / mass, width, right - left + 1);
  return place(dx + across, dy + moved(height / 2 - my / mass, height, bottom - top + 1));
}

/** The mean of values around a place, `size` dots wide; outside is paper. */
function averaged(values, width, height, x, y, size) {
  const points = Math.ceil(size);
  let sum = 0;
  for (let i = 0; i < points; i++) {
    for (let j = 0; j < points; j++) {
      const offset = (k) => size * ((k + 0.5) / points - 0.5) * (points > 1 ? 1 : 0);
      sum += between(values, width, height, x + offset(i), y + offset(j));
    }
  }
  return sum / (points * points);
}

/** The value at a place between dots. */
function between(values, width, height, x, y) {
  const [x0, y0] = [Math.floor(x), Math.floor(y)], [fx, fy] = [x - x0, y - y0];
  const at = (column, row) =>
    column >= 0 && column < width && row >= 0 && row < height ? values[row * width + column] : 0;
  return (
    (1 - fy) * ((1 - fx) * at(x0, y0) + fx * at(x0 + 1, y0)) + fy * ((1 - fx) * at(x0, y0 + 1) + fx * at(x0 + 1, y0 + 1))
  );
}

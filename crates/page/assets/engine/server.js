// The engine's side of the page: answers messages, and steps dreams and completions at the speed that is asked for.
// It runs in a worker, so that drawing never waits; where a browser allows none, in the page itself.

import { Chains } from "./chains.js";
import { Completion, MOST_STEPS } from "./completion.js";
import { Given } from "./given.js";
import { Net } from "./net.js";
import { filters, labelWeights, survey, whatItAdds } from "./units.js";
import { readTensors } from "./weights.js";

/** Steps something so often a second, and shows it as often as the page has drawn what came before. */
class Walk {
  constructor(step, show) {
    Object.assign(this, { step, show, speed: 10, running: false, waiting: false, due: 0, timer: 0, rate: 0 });
    this.counted = { steps: 0, since: 0 };
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.due = performance.now();
    this.counted = { steps: 0, since: this.due };
    this.go();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** The page has drawn the last frame. */
  drawn() {
    this.waiting = false;
  }

  go() {
    if (!this.running) return;
    const began = performance.now(), pause = 1000 / this.speed;
    let moved = false;
    // At most so long at a stretch that a pen is answered at once.
    while (this.running && this.due <= performance.now() && performance.now() - began < 12) {
      if (this.step() === false) this.stop();
      this.due += pause;
      this.counted.steps++;
      moved = true;
    }
    const now = performance.now();
    this.due = Math.max(this.due, now - 2 * pause);
    if (now - this.counted.since > 500) {
      this.rate = (1000 * this.counted.steps) / (now - this.counted.since);
      this.counted = { steps: 0, since: now };
    }
    if (moved && !this.waiting) {
      this.waiting = true;
      this.show();
    }
    if (this.running) this.timer = setTimeout(() => this.go(), Math.max(0, this.due - performance.now()));
  }
}

// Steps of chains before rows count, and that count; how often so far is told; how many weights a step may pass.
const BURN_IN = 30, COUNTED = 400, TOLD = 100, PASSED = 4e6;

/** Answers messages by `post`; returns the function that takes them. */
export function serve(post) {
  let net = null, chains = null, completion = null, focus = 0;
  const surveys = [];

  const showDream = () => {
    const pixels = net.sizes[0], pictures = new Float32Array(chains.count * pixels);
    for (let chain = 0; chain < chains.count; chain++) pictures.set(chains.show(chain), chain * pixels);
    post({
      kind: "dreamt", step: chains.step, pictures, labels: Array.from(chains.labels), rate: dream.rate,
      running: dream.running, focus, penultimate: chains.penultimate[focus].slice(), hidden: chains.hidden[focus].slice(),
    });
  };
  const showCompletion = () => {
    const { step, shown, label } = completion;
    post({
      kind: "completed", step, pixels: shown.slice(), label, freeEnergy: completion.freeEnergy(),
      running: filling.running,
    });
  };
  const dream = new Walk(() => chains.advance(), showDream);
  const filling = new Walk(() => {
    completion.advance();
    return completion.step < MOST_STEPS;
  }, showCompletion);

  // Draws rows until enough are there or others are asked for.
  let question = null;
  const give = (asked) => {
    if (asked !== question) return;
    const { rows, id } = asked, began = performance.now();
    let done = false;
    while (!done && performance.now() - began < TOLD) {
      rows.advance(rows.step >= BURN_IN);
      done = rows.step >= BURN_IN + COUNTED;
    }
    if (rows.draws > 0) post({ kind: "given", id, done, ...rows.result() });
    if (!done) setTimeout(() => give(asked));
  };

  const answers = {
    async open({ header, weights }) {
      const progress = (share) => post({ kind: "opening", share });
      net = new Net(header, await readTensors(header.tensors, weights, progress));
      post({ kind: "opened" });
    },
    recognise({ pixels }) {
      const result = net.recogniseAll(pixels);
      const reconstruction = net.decode(result.levels[net.depth], net.depth);
      const freeEnergy = net.topFreeEnergy(result.levels[net.depth - 1]);
      post({ kind: "recognised", ...result, reconstruction, freeEnergy });
    },
    dream({ count, labels, seed, starts }) {
      const { temperature, held } = chains ?? { temperature: 1, held: { hidden: [], penultimate: [] } };
      chains = Object.assign(new Chains(net, count, labels, seed, starts), { temperature, held });
      focus = Math.min(focus, count - 1);
      dream.waiting = false;
      showDream();
    },
    dreamSettings({ speed, temperature, held, focus: chain }) {
      if (speed !== undefined) dream.speed = speed;
      if (temperature !== undefined) chains.temperature = temperature;
      if (held !== undefined) chains.held = held;
      if (chain !== undefined) {
        focus = Math.min(chain, chains.count - 1);
        showDream();
      }
    },
    dreamRun({ running, steps }) {
      if (running === undefined) {
        for (let step = 0; step < steps; step++) chains.advance();
      } else if (running) {
        dream.start();
        return;
      } else {
        dream.stop();
      }
      showDream();
    },
    dreamDrawn: () => dream.drawn(),
    complete({ pixels, missing, options }) {
      filling.stop();
      completion = new Completion(net, pixels, missing, options);
      filling.waiting = false;
      showCompletion();
    },
    completeRun({ running, steps, speed }) {
      if (speed !== undefined) filling.speed = speed;
      if (running) {
        filling.start();
        return;
      }
      filling.stop();
      for (let step = 0; step < (steps ?? 0) && completion.step < MOST_STEPS; step++) completion.advance();
      showCompletion();
    },
    completeDrawn: () => filling.drawn(),
    unit({ level, unit, units, switched, id }) {
      const added = units ? whatItAdds(net, level, unit, units, switched) : null;
      const labels = level === net.depth && net.classes > 0 ? labelWeights(net, unit) : null;
      post({ kind: "unit", id, level, unit, ...filters(net, level, unit), labels, added });
    },
    gallery({ level, units, set, id }) {
      post({ kind: "gallery", id, level, units, pictures: units.map((unit) => filters(net, level, unit)[set]) });
    },
    survey({ level }) {
      surveys[level] ??= survey(net, level);
      post({ kind: "survey", level, tied: net.layers[level - 1].tied, ...surveys[level] });
    },
    give({ given, label, seed, id }) {
      const weights = net.layers.reduce((sum, { rec, tied }) => sum + rec.length * (tied ? 1 : 2), 0);
      const chains = Math.max(20, Math.min(200, Math.round(PASSED / weights)));
      question = { rows: new Given(net, given, label, { seed, chains }), id };
      give(question);
    },
    measure({ steps }) {
      const walk = new Chains(net, 1, null, 1n), began = performance.now();
      for (let step = 0; step < steps; step++) walk.advance();
      post({ kind: "measured", rate: (1000 * steps) / (performance.now() - began) });
    },
  };
  return async (message) => {
    try {
      await answers[message.kind](message);
    } catch (error) {
      post({ kind: "failed", what: String(error?.message ?? error) });
    }
  };
}

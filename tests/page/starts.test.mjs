// The page of an RBM with labels that learned from chains which start at samples: dreams of a label start at its examples.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, dbn, inFolder, opened, until } from "./harness.mjs";

let trained = null;

/** The page of such an RBM, with so many examples. */
function page(examples) {
  if (!trained) {
    trained = inFolder("labelled");
    dbn("stack", "--layers", "20", "--epochs", "1", "--valid", "0", "--out", trained);
  }
  const made = inFolder(`labelled-${examples}.html`);
  dbn("page", trained, "--examples", String(examples), "--out", made);
  return made;
}

const COMMAND = "document.getElementById('dream-command').textContent";

test("dreams of labels start at examples of them, and free ones at noise", () =>
  opened({}, async (tab) => {
    const { pictures, labels } = await answer(tab, "dreamt", "(last) => last.step === 0");
    const examples = await tab.evaluate(
      "deepbelief.model.examples.map(({ label, pixels }) => ({ label, pixels: Array.from(pixels) }))",
    );
    assert.equal(labels.length, 10);
    labels.forEach((label, chain) => {
      const states = pictures.slice(784 * chain, 784 * (chain + 1)), { pixels } = examples.find((one) => one.label === label);
      // A grey pixel is on or off at random.
      assert.ok(states.every((state, i) => (pixels[i] > 0 && pixels[i] < 1 ? state === 0 || state === 1 : state === pixels[i])));
    });
    await until(tab, `${COMMAND}.startsWith('no command: the chains start at examples')`);
    await tab.click('#dream-labels [data-value="free"]');
    await answer(tab, "dreamt", "(last) => last.pictures.some((p) => p > 0 && p < 1)");
    await until(tab, `${COMMAND}.startsWith('dbn sample')`);
    assert.doesNotMatch(await tab.evaluate(COMMAND), /--start/);
  }, page(50)));

test("without examples they start at noise, and the command says so", () =>
  opened({}, async (tab) => {
    await answer(tab, "dreamt", "(last) => last.pictures.some((p) => p > 0 && p < 1)");
    await until(tab, `${COMMAND}.startsWith('dbn sample')`);
    assert.match(await tab.evaluate(COMMAND), /--label all --count 1 --steps 0 --seed 1 --start noise --out dreams.png/);
  }, page(0)));

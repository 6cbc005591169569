// The page of an RBM without labels: its words are those of an RBM, and it says what it loads.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, dbn, inFolder, opened, until } from "./harness.mjs";

let made = null;

/** The page of an RBM that learned some digits. */
function page() {
  if (!made) {
    dbn("pretrain", "--hidden", "20", "--epochs", "1", "--valid", "0", "--out", inFolder("rbm"));
    made = inFolder("rbm.html");
    dbn("page", inFolder("rbm"), "--examples", "4", "--out", made);
  }
  return made;
}

test("an RBM's page speaks of no layers and no labels", () =>
  opened({}, async (tab) => {
    const text = await tab.evaluate("document.body.innerText");
    assert.match(text, /The restricted Boltzmann machine has pixels and hidden units/);
    assert.doesNotMatch(text, /\b(net|layers?|labels?|tuning|top units)\b/i);
    assert.equal(await tab.textContent("#unit-name").then((name) => name.replace(/\d+/, "N")), "Hidden unit N");
    await tab.click("#example");
    await until(tab, "document.getElementById('verdict').textContent.startsWith('Free energy: ')");
    assert.equal(await tab.evaluate("document.querySelectorAll('[data-if]').length > 0"), true);
  }, page()));

test("until the engine is there, the page says what it loads", async () => {
  const chromium = await browser();
  try {
    const tab = await chromium.newPage();
    // A worker that never answers.
    await tab.addInitScript("globalThis.Worker = class { postMessage() {} }");
    await tab.goto(`file://${page()}`);
    assert.equal((await tab.innerText("#loading label")).trim(), "Loading 16 thousand weights\u2026");
    assert.equal(await tab.isVisible("#loaded"), true);
    assert.equal(await tab.evaluate("document.body.classList.contains('ready')"), false);
    await tab.evaluate("deepbelief.link.take({ kind: 'opening', share: 0.5 })");
    assert.equal(await tab.evaluate("document.getElementById('loaded').value"), 0.5);
    await tab.evaluate("deepbelief.link.take({ kind: 'failed', what: 'no' })");
    assert.equal(await tab.isVisible("#loading"), false);
  } finally {
    await chromium.close();
  }
});

// Gibbs steps of the 510-2000 top a second, measured in the page by its own worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, opened } from "./harness.mjs";

test("the top makes at least 60 steps a second", () =>
  opened({}, async (tab) => {
    await tab.evaluate("deepbelief.link.send('measure', { steps: 200 })");
    await answer(tab, "measured");
    await tab.evaluate("delete deepbelief.link.last.measured; deepbelief.link.send('measure', { steps: 600 })");
    const { rate } = await answer(tab, "measured");
    console.log(`speed: ${Math.round(rate)} Gibbs steps of the top a second`);
    assert.ok(rate >= 60, `${rate}`);
  }));

test("a dream as fast as it goes shows at least 60 frames' worth of steps a second", () =>
  opened({}, async (tab) => {
    await tab.click("#dream-labels [data-value='free']");
    await tab.selectOption("#dream-count", "1");
    await tab.locator("#dream-speed").fill("9");
    await tab.click("#dream-run");
    await answer(tab, "dreamt", "(last) => last.rate > 0");
    await tab.waitForTimeout(2000);
    const { rate } = await answer(tab, "dreamt");
    console.log(`speed: ${Math.round(rate)} steps a second while dreaming`);
    assert.ok(rate >= 60, `${rate}`);
  }));

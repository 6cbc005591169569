// For everyone: no serious fault by axe-core, light and dark, wide and on a phone; nothing wider than the screen.

import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { opened } from "./harness.mjs";

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 375]) {
    test(`axe-core finds no serious fault, ${colorScheme}, ${width} px`, () =>
      opened({ colorScheme, viewport: { width, height: 800 } }, async (tab) => {
        await tab.click("#touch-levels button:last-child");
        await tab.waitForTimeout(300);
        const across = await tab.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        assert.ok(across[0] <= across[1], `the page is ${across[0]} px wide`);
        await tab.evaluate(axe.source);
        const { violations } = await tab.evaluate("axe.run()");
        const faults = violations.map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map((node) => node.target).join("; ")}`);
        assert.deepEqual(faults, []);
      }));
  }
}

test("everything that can be clicked can be reached by the tab key", () =>
  opened({}, async (tab) => {
    const reachable = "[...document.querySelectorAll('button, select, input, [tabindex]')].filter((node) => !node.disabled && node.offsetParent).length";
    const count = await tab.evaluate(reachable), seen = new Set();
    for (let press = 0; press < count + 5; press++) {
      await tab.keyboard.press("Tab");
      seen.add(await tab.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"));
    }
    assert.ok(seen.size >= count, `${seen.size} of ${count}`);
  }));

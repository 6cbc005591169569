// What one does on the page: draw by pointer and by keyboard, dream, complete, touch units.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, classified, draw, inFolder, opened, until, writeNpy } from "./harness.mjs";

const SEVEN = [[0.25, 0.22], [0.75, 0.2], [0.6, 0.5], [0.45, 0.85]];
/** Steps after which the page says that a dream has settled. */
const SETTLED = 500;

test("a drawn 7 is read as a 7", () =>
  opened({}, async (tab) => {
    await tab.click("#clear");
    await draw(tab, "#draw-pad .pad", SEVEN);
    await until(tab, "document.getElementById('verdict').textContent.startsWith('Looks like 7')");
    assert.equal(await tab.textContent("#labels .best .class"), "7");
    const { labels } = await answer(tab, "recognised");
    assert.equal(labels.length, 10);
    assert.ok(Math.abs(labels.reduce((a, b) => a + b) - 1) < 1e-9, "probabilities add up");
    assert.deepEqual(await tab.evaluate("deepbelief.link.last.recognised.levels.map((l) => l.length)"), [784, 500, 500, 2000]);
  }));

test("where a browser makes no worker, the engine runs in the page", () =>
  opened({ first: "delete globalThis.Worker" }, async (tab) => {
    assert.equal(await tab.evaluate("deepbelief.link.where"), "page");
    await tab.click("#clear");
    await draw(tab, "#draw-pad .pad", SEVEN);
    await until(tab, "document.getElementById('verdict').textContent.startsWith('Looks like 7')");
    await tab.click("#dream-step");
    await answer(tab, "dreamt", "(last) => last.step === 1");
  }));

test("a finger draws as a mouse does", () =>
  opened({ hasTouch: true, viewport: { width: 375, height: 800 } }, async (tab) => {
    await tab.click("#clear");
    const pad = tab.locator("#draw-pad .pad");
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox(), session = await tab.context().newCDPSession(tab);
    const at = ([x, y]) => [{ x: box.x + x * box.width, y: box.y + y * box.height }];
    await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(SEVEN[0]) });
    for (let i = 1; i < SEVEN.length; i++) {
      for (let part = 1; part <= 10; part++) {
        const between = [0, 1].map((axis) => SEVEN[i - 1][axis] + ((SEVEN[i][axis] - SEVEN[i - 1][axis]) * part) / 10);
        await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(between) });
      }
    }
    await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await until(tab, "document.getElementById('verdict').textContent.startsWith('Looks like 7')");
  }));

test("a 1 drawn by keys is read as a 1", () =>
  opened({}, async (tab) => {
    await tab.click("#clear");
    await tab.locator("#draw-pad .pad").focus();
    // The cursor starts in the middle, a quarter down.
    await tab.keyboard.press("Space");
    for (let step = 0; step < 15; step++) await tab.keyboard.press("ArrowDown");
    await tab.keyboard.press("Space");
    await until(tab, "document.getElementById('verdict').textContent.startsWith('Looks like 1')");
    await tab.keyboard.press("Delete");
    await until(tab, "deepbelief.link.last.recognised.levels[0].every((pixel) => pixel === 0)");
  }));

test("every example is shown with what the data say", () =>
  opened({}, async (tab) => {
    let right = 0;
    for (let example = 0; example < 50; example++) {
      if (example > 0) await tab.click("#example");
      const matched = "document.getElementById('verdict').textContent.match(/Looks like (\\d).* say (\\d)/)";
      const [, read, truth] = await until(tab, `(() => { const said = ${matched}; return said && said[2] === '${example % 10}' && said; })()`);
      if (read === truth) right++;
    }
    assert.ok(right >= 48, `${right} of 50 examples`);
  }));

test("dreams of a clamped label are classified as that label", () =>
  opened({}, async (tab) => {
    const pictures = [];
    for (let label = 0; label < 10; label++) {
      await tab.click(`#dream-labels [data-value="${label}"]`);
      for (let step = 100; step <= SETTLED; step += 100) {
        await tab.click("#dream-leap");
        await answer(tab, "dreamt", `(last) => last.step === ${step} && last.labels.every((l) => l === ${label})`);
      }
      const dreamt = await answer(tab, "dreamt");
      assert.equal(dreamt.labels.length, 10);
      pictures.push(...dreamt.pictures.map((p) => 255 * p));
    }
    const file = inFolder("dreams.npy");
    writeNpy(file, 100, 784, pictures);
    const right = classified(file).filter((label, i) => label === Math.floor(i / 10)).length;
    console.log(`dreams: ${right} of 100 have their label after ${SETTLED} steps`);
    assert.ok(right >= 90, `${right} of 100`);
  }));

test("a running dream moves, rests, and obeys speed and temperature", () =>
  opened({}, async (tab) => {
    await tab.click("#dream-run");
    await answer(tab, "dreamt", "(last) => last.step > 5 && last.running");
    await tab.click("#dream-run");
    const { step } = await answer(tab, "dreamt", "(last) => !last.running");
    await tab.waitForTimeout(300);
    assert.equal((await answer(tab, "dreamt")).step, step);
    assert.match(await tab.textContent("#dream-command"), new RegExp(`^dbn sample \\S+ --label all --count 1 --steps ${step} --seed 1 `));
    await tab.locator("#dream-heat").fill("2");
    assert.match(await tab.textContent("#dream-command"), /^no command/);
    await tab.fill("#dream-seed", "not a number");
    await tab.locator("#dream-seed").blur();
    assert.equal(await tab.getAttribute("#dream-seed", "aria-invalid"), "true");
  }));

test("an erased half is completed", () =>
  opened({}, async (tab) => {
    // The first example is a 0, the second a 1, ...
    const labels = [];
    for (let example = 0; example < 10; example++) {
      if (example > 0) await tab.click("#from-example");
      await answer(tab, "completed", "(last) => last.step === 0");
      await tab.evaluate("delete deepbelief.link.last.completed");
      await tab.click(example % 2 ? "#erase-left" : "#erase-bottom");
      const start = await answer(tab, "completed", "(last) => last.step === 0");
      await tab.click("#complete-run");
      const end = await answer(tab, "completed", "(last) => last.step >= 60");
      await tab.click("#complete-run");
      assert.ok(end.freeEnergy < start.freeEnergy - 100, `free energy ${start.freeEnergy} to ${end.freeEnergy}`);
      // What was there stays there.
      const known = (i) => (example % 2 ? i % 28 >= 14 : i < 392);
      assert.ok(end.pixels.every((pixel, i) => !known(i) || pixel === start.pixels[i]));
      labels.push(end.label);
      await answer(tab, "completed", "(last) => !last.running");
    }
    const right = labels.filter((label, i) => label === i).length;
    console.log(`completions: labels ${labels.join(" ")}, ${right} of 10 are those of the whole pictures`);
    assert.ok(right >= 6, labels.join(" "));
  }));

test("a part wiped by hand is missing, and only that", () =>
  opened({}, async (tab) => {
    await tab.click("#erase-none");
    await answer(tab, "completed", "(last) => last.pixels.every((pixel, i) => pixel === deepbelief.model.examples[0].pixels[i])");
    await tab.evaluate("delete deepbelief.link.last.completed");
    await tab.locator("#complete-pad .pad").scrollIntoViewIfNeeded();
    await draw(tab, "#complete-pad .pad", [[0.5, 0.5], [0.5, 0.5]]);
    const { pixels } = await answer(tab, "completed", "(last) => last.step === 0");
    const whole = await tab.evaluate("Array.from(deepbelief.model.examples[0].pixels)");
    const changed = pixels.map((pixel, i) => (pixel === whole[i] ? 0 : 1)).flatMap((change, i) => (change ? [i] : []));
    assert.ok(changed.length > 5);
    for (const i of changed) assert.ok(Math.hypot((i % 28) + 0.5 - 14, Math.floor(i / 28) + 0.5 - 14) < 28 / 9 + 1e-9);
  }));

test("a unit that is pointed at shows its weights, a click switches it", () =>
  opened({}, async (tab) => {
    await tab.locator("#levels .activity").last().scrollIntoViewIfNeeded();
    const box = await tab.locator("#levels .activity").last().boundingBox();
    // The lowest level has 50 units in a row: the fourth of the third row.
    await tab.mouse.move(box.x + (3.5 / 50) * box.width, box.y + (2.5 / 10) * box.height);
    await until(tab, "document.getElementById('unit-name').textContent === 'Unit 103 of hidden layer 1'");
    const unit = await answer(tab, "unit", "(last) => last.unit === 103 && last.level === 1");
    assert.equal(unit.rec.length, 784);
    assert.notDeepEqual(unit.rec, unit.gen, "the tuned net has two sets");
    await tab.mouse.down();
    await tab.mouse.up();
    await until(tab, "document.getElementById('unit-switched').textContent.startsWith('1 switched: 103')");
    assert.equal(await tab.getAttribute("#unit-state [data-value='1']", "aria-pressed"), "true");
    await tab.click("#unit-release");
    await until(tab, "document.getElementById('unit-switched').textContent === 'No unit is switched.'");
  }));

test("a top unit can be held in the dream, by keyboard", () =>
  opened({}, async (tab) => {
    await tab.locator("#levels .activity").first().focus();
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("Enter");
    await tab.locator("#unit-hold").check();
    for (let step = 0; step < 3; step++) {
      await tab.click("#dream-step");
      const { hidden } = await answer(tab, "dreamt", `(last) => last.step === ${step + 1}`);
      assert.equal(hidden[1], 1);
    }
    assert.match(await tab.textContent("#dream-command"), /^no command/);
  }));

import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOURS, draw, range, type Look } from "./draw.ts";
import { binned } from "./histogram-bins.ts";
import { raster, type Raster } from "./npy.ts";
import { fitted, moved, zoomed } from "./place.ts";

const LOOK: Look = { outlines: true, fill: 0, black: 0, white: 255, line: 1 };
const PLACE = { left: 0, top: 0, scale: 1 };

function image(rows: number[][]): Raster {
  return { height: rows.length, width: rows[0]!.length, values: Uint16Array.from(rows.flat()) };
}

function drawn(labels: Raster, pixels: Raster | undefined, look = LOOK, chosen = 0, place = PLACE, size = labels): number[][] {
  const out = new Uint8ClampedArray(4 * size.width * size.height);
  draw(out, size.width, size.height, place, pixels, labels, look, chosen);
  return Array.from({ length: out.length / 4 }, (_, at) => [...out.slice(4 * at, 4 * at + 4)]);
}

const CELL = image([
  [0, 0, 0, 0, 0],
  [0, 3, 3, 3, 0],
  [0, 3, 3, 3, 0],
  [0, 3, 3, 3, 0],
  [0, 0, 0, 0, 0],
]);
const FLAT = image(Array.from({ length: 5 }, () => [100, 100, 100, 100, 100]));
const COLOUR = [...COLOURS[3]!, 255];

test("a cell has an outline in its colour, and its inside stays as it was", () => {
  const picture = drawn(CELL, FLAT);
  assert.deepEqual(picture[6], COLOUR);
  assert.deepEqual(picture[12], [100, 100, 100, 255]);
  assert.deepEqual(picture[0], [100, 100, 100, 255]);
});

test("fill colours the inside as strongly as it was asked for", () => {
  assert.deepEqual(drawn(CELL, FLAT, { ...LOOK, fill: 1 })[12], COLOUR);
  assert.deepEqual(drawn(CELL, FLAT, { ...LOOK, outlines: false, fill: 0 })[6], [100, 100, 100, 255]);
});

test("the chosen cell has a white outline", () => {
  assert.deepEqual(drawn(CELL, FLAT, LOOK, 3)[6], [255, 255, 255, 255]);
});

test("contrast makes the black value black and the white one white", () => {
  const ramp = image([[100, 120, 200]]);
  const none = image([[0, 0, 0]]);
  const greys = drawn(none, ramp, { ...LOOK, black: 100, white: 200 }).map(([grey]) => grey);
  assert.deepEqual(greys, [0, 51, 255]);
});

test("outside of the image nothing is drawn", () => {
  const picture = drawn(CELL, FLAT, LOOK, 0, { left: -1, top: 0, scale: 1 });
  assert.equal(picture[0]![3], 0);
  assert.equal(picture[1]![3], 255);
});

test("without its pixels a cell is still seen", () => {
  assert.deepEqual(drawn(CELL, undefined)[6], COLOUR);
});

test("the usual contrast leaves out the brightest few", () => {
  const values = new Uint16Array(10_000).fill(500);
  values.set([60_000, 60_000, 10, 10]);
  assert.deepEqual(range({ height: 100, width: 100, values }), { low: 500, high: 501, least: 10, most: 60_000 });
});

test("NumPy's arrays are read as they were written", () => {
  const head = "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117) + "\n";
  const data = new Uint8Array(10 + head.length + 12);
  data.set([0x93, 78, 85, 77, 80, 89, 1, 0, head.length, 0]);
  data.set(new TextEncoder().encode(head), 10);
  data.set([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1], 10 + head.length);
  const read = raster(data.buffer);
  assert.deepEqual([read.height, read.width, [...read.values]], [2, 3, [1, 2, 3, 4, 5, 262]]);
  assert.throws(() => raster(new TextEncoder().encode("\x93NUMPY\x01\x00\x10\x00{'descr': '<f8'}").buffer));
});

test("nearer keeps what is under the pointer, and all shows all", () => {
  const [picture, screen] = [{ width: 1000, height: 500 }, { width: 500, height: 500 }];
  const all = fitted(picture, screen);
  assert.deepEqual(all, { scale: 0.5, left: 0, top: -250 });
  const near = zoomed(all, 4, 100, 200, picture, screen);
  assert.equal(near.left + 100 / near.scale, all.left + 100 / all.scale);
  assert.equal(zoomed(all, 1e-9, 0, 0, picture, screen).scale, 0.5);
});

test("the image can't be moved out of sight", () => {
  const [picture, screen] = [{ width: 100, height: 100 }, { width: 100, height: 100 }];
  assert.deepEqual(moved(PLACE, -10_000, 10_000, picture, screen), { scale: 1, left: 50, top: -50 });
});

test("every value falls into a bin, the largest into the last", () => {
  assert.deepEqual(binned([0, 1, 2, 3, 4], 4).counts, [1, 1, 1, 2]);
  assert.deepEqual(binned([7, 7], 2).counts, [2, 0]);
});

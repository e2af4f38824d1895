import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, size, span } from "../words.ts";
import { paceOf } from "./pace-of.ts";

const RUNNING = { state: "running", seconds: 12, labelled: 30, rejected: 10, in_flight: 60 } as const;

test("a running job's pace is that of the last seconds", () => {
  assert.deepEqual(paceOf([{ at: 2, ended: 0 }, { at: 12, ended: 40 }], RUNNING), { rate: 4, left: 15 });
});

test("nobody can tell the time left while nothing ends, or after less than a second", () => {
  assert.deepEqual(paceOf([{ at: 2, ended: 40 }, { at: 12, ended: 40 }], RUNNING), { rate: 0, left: undefined });
  assert.deepEqual(paceOf([{ at: 12, ended: 40 }], RUNNING), { rate: undefined, left: undefined });
});

test("a job that is done tells its mean", () => {
  assert.deepEqual(paceOf([], { ...RUNNING, state: "done", seconds: 20, in_flight: 0 }), { rate: 2, left: undefined });
});

test("numbers are said as people say them", () => {
  assert.deepEqual([size(7_300_000), size(512), size(25_000_000_000)], ["7.3 MB", "512 bytes", "25 GB"]);
  assert.deepEqual([span(1.25), span(75), span(600), span(10_000)], ["1.3 s", "75 s", "10 min", "2 h 47 min"]);
  assert.deepEqual([figure(161), figure(1569.64), figure(0.65), figure(252712)], ["161", "1,570", "0.65", "252,712"]);
});

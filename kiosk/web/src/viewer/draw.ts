/** What is seen of an image and its labels, drawn pixel by pixel of the screen: outlines stay fine at any scale. */
import type { Raster } from "./npy.ts";
import type { Place } from "./place.ts";

export interface Look {
  outlines: boolean;
  /** 0 to 1: how much of the colour covers a cell. */
  fill: number;
  /** The values that become black and white. */
  black: number;
  white: number;
  /** Screen pixels of an outline. */
  line: number;
}

export const COLOURS = [
  [255, 220, 80], [60, 180, 255], [120, 255, 120], [255, 120, 200], [90, 255, 255], [255, 140, 90], [180, 110, 255],
  [220, 255, 150],
] as const; // prettier-ignore

/** Draw into (width × height) RGBA. */
export function draw(
  out: Uint8ClampedArray,
  width: number,
  height: number,
  place: Place,
  pixels: Raster | undefined,
  labels: Raster,
  look: Look,
  chosen: number,
): void {
  const greys = pixels ? table(pixels, look) : undefined;
  const columns = spots(width, place.left, place.scale, labels.width);
  const rows = spots(height, place.top, place.scale, labels.height);
  for (let y = 0, at = 0; y < height; y++) {
    const start = rows[y]! * labels.width;
    const [above, below] = [rows[Math.max(0, y - look.line)]! * labels.width, rows[Math.min(height - 1, y + look.line)]! * labels.width];
    for (let x = 0; x < width; x++, at += 4) {
      const column = columns[x]!;
      if (column < 0 || start < 0) {
        out[at + 3] = 0;
        continue;
      }
      const label = labels.values[start + column]!;
      const grey = greys ? greys[pixels!.values[start + column]!]! : 0;
      let share = 0;
      if (label) {
        const edge =
          labels.values[start + columns[Math.max(0, x - look.line)]!] !== label ||
          labels.values[start + columns[Math.min(width - 1, x + look.line)]!] !== label ||
          labels.values[above + column] !== label ||
          labels.values[below + column] !== label;
        share = edge && (look.outlines || label === chosen) ? 1 : look.fill;
      }
      const colour = label === chosen && label && share === 1 ? WHITE : COLOURS[label % COLOURS.length]!;
      out[at] = grey + (colour[0] - grey) * share;
      out[at + 1] = grey + (colour[1] - grey) * share;
      out[at + 2] = grey + (colour[2] - grey) * share;
      out[at + 3] = 255;
    }
  }
}

const WHITE = [255, 255, 255] as const;

/** The range of values without the darkest and the brightest few, and all of it. */
export function range(pixels: Raster): { low: number; high: number; least: number; most: number } {
  const counts = new Uint32Array(65536);
  for (const value of pixels.values) counts[value]!++;
  const least = counts.findIndex((count) => count > 0);
  const most = counts.findLastIndex((count) => count > 0);
  const nth = (share: number): number => {
    let rest = share * pixels.values.length;
    return counts.findIndex((count) => (rest -= count) <= 0);
  };
  return { low: nth(0.002), high: Math.max(nth(0.998), nth(0.002) + 1), least, most };
}

/** The grey of every value. */
function table(pixels: Raster, { black, white }: Look): Uint8ClampedArray {
  const greys = new Uint8ClampedArray(pixels.values instanceof Uint8Array ? 256 : 65536);
  const step = 255 / Math.max(white - black, 1);
  for (let value = 0; value < greys.length; value++) greys[value] = (value - black) * step;
  return greys;
}

/** The image's column (or row) under each of the screen's; -1 outside. */
function spots(count: number, start: number, scale: number, all: number): Int32Array {
  return Int32Array.from({ length: count }, (_, at) => {
    const spot = Math.floor(start + (at + 0.5) / scale);
    return spot < 0 || spot >= all ? -1 : spot;
  });
}

/** What is sent together: each zip as it is, and all other files as one stored zip that is packed on the way. */
import { makeZip, predictLength } from "client-zip";
import { ending, type Gathered } from "./gather.ts";

/** What becomes one job. */
export interface Parcel {
  name: string;
  size: number;
  files: Gathered[];
  packed: boolean;
}

export function parcels(files: Gathered[]): Parcel[] {
  const zips = files.filter((each) => ending(each.path) === ".zip");
  const others = files.filter((each) => ending(each.path) !== ".zip");
  return [...zips.map(single), ...(others.length > 1 ? [packed(others)] : others.map(single))];
}

/** The parcel in parts of one size, counted from 1; the last may be smaller. The same files give the same bytes. */
export async function* parts(parcel: Parcel, partSize: number): AsyncGenerator<Blob> {
  const [first] = parcel.files;
  if (!parcel.packed && first) {
    for (let at = 0; at < first.file.size; at += partSize) yield first.file.slice(at, at + partSize);
    return;
  }
  yield* blocks(makeZip(entries(parcel.files)), partSize);
}

/** What tells a parcel from every other that this browser sent: names, sizes and dates. */
export function fingerprint(parcel: Parcel): string {
  return hash(parcel.files.map(({ path, file }) => `${path}\0${file.size}\0${file.lastModified}`).join("\n"));
}

function single(each: Gathered): Parcel {
  return { name: each.file.name, size: each.file.size, files: [each], packed: false };
}

function packed(files: Gathered[]): Parcel {
  const tops = new Set(files.map(({ path }) => path.split("/")[0]));
  const [top] = tops;
  const folder = tops.size === 1 && files.every(({ path }) => path.includes("/")) ? top : undefined;
  const inside = folder ? files.map(({ path, file }) => ({ path: path.slice(folder.length + 1), file })) : files;
  return { name: `${folder ?? "images"}.zip`, size: Number(predictLength(entries(inside))), files: inside, packed: true };
}

function entries(files: Gathered[]) {
  return files.map(({ path, file }) => ({ name: path, size: file.size, lastModified: new Date(file.lastModified), input: file }));
}

async function* blocks(stream: ReadableStream<Uint8Array>, size: number): AsyncGenerator<Blob> {
  let held: BlobPart[] = [];
  let room = size;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    for (let rest = value; rest.length; ) {
      const taken = rest.slice(0, room);
      held.push(taken);
      room -= taken.length;
      rest = rest.subarray(taken.length);
      if (room) continue;
      yield new Blob(held);
      held = [];
      room = size;
    }
  }
  if (held.length) yield new Blob(held);
}

/** 53 bits of it: enough to tell the few unfinished uploads of one browser apart (cyrb53). */
function hash(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}

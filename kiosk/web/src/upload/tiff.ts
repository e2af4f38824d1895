/** The few tags of a TIFF file's first page that tell the size of a pixel. */

const [DESCRIPTION, X_RESOLUTION, RESOLUTION_UNIT] = [270, 282, 296];
const MOST_TEXT = 1_000_000;

export interface Page {
  description: string;
  /** Pixels per unit. */
  perUnit: number | undefined;
  unit: number;
}

/** None where the file is no TIFF. */
export async function firstPage(file: Blob): Promise<Page | undefined> {
  const head = await read(file, 0, 16);
  const mark = head.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return undefined;
  const little = mark === 0x4949;
  const version = head.getUint16(2, little);
  if (version !== 42 && version !== 43) return undefined;
  return tags(file, little, version === 43, head);
}

async function tags(file: Blob, little: boolean, big: boolean, head: DataView): Promise<Page> {
  const [width, start] = big ? [8, 16 - 8] : [4, 4];
  const word = (view: DataView, at: number): number => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const first = word(head, start);
  const counted = big ? 8 : 2;
  const count = await read(file, first, counted).then((view) => (big ? word(view, 0) : view.getUint16(0, little)));
  const step = 4 + 2 * width;
  const list = await read(file, first + counted, Math.min(count, 1000) * step);
  const page: Page = { description: "", perUnit: undefined, unit: 2 };
  for (let at = 0; at + step <= list.byteLength; at += step) {
    const [tag, length, place] = [list.getUint16(at, little), word(list, at + 4), at + 4 + width];
    if (tag === RESOLUTION_UNIT) page.unit = list.getUint16(place, little);
    if (tag === X_RESOLUTION) page.perUnit = await ratio(file, list, place, little, big);
    if (tag === DESCRIPTION) page.description = await text(file, list, place, length, width, word(list, place));
  }
  return page;
}

async function ratio(file: Blob, list: DataView, place: number, little: boolean, big: boolean): Promise<number | undefined> {
  const view = big ? new DataView(list.buffer, place, 8) : await read(file, list.getUint32(place, little), 8);
  const [over, under] = [view.getUint32(0, little), view.getUint32(4, little)];
  return over && under ? over / under : undefined;
}

async function text(file: Blob, list: DataView, place: number, length: number, room: number, at: number): Promise<string> {
  const view = length <= room ? new DataView(list.buffer, place, length) : await read(file, at, Math.min(length, MOST_TEXT));
  return new TextDecoder().decode(view).replace(/\0+$/, "");
}

async function read(file: Blob, at: number, length: number): Promise<DataView> {
  return new DataView(await file.slice(at, at + length).arrayBuffer());
}

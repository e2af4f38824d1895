/** Arrays in NumPy's format, as the API sends pixels and labels. */

export interface Raster {
  height: number;
  width: number;
  values: Uint8Array | Uint16Array | Uint32Array;
}

const KINDS = { "|u1": Uint8Array, "<u2": Uint16Array, "<u4": Uint32Array } as const;

/** Throws where it is no array of unsigned numbers with two axes. */
export function raster(data: ArrayBuffer): Raster {
  const view = new DataView(data);
  const [length, start] = view.getUint8(6) === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const head = new TextDecoder("latin1").decode(new Uint8Array(data, start, length));
  const kind = /'descr': '([^']+)'/.exec(head)?.[1] ?? "";
  const [, height, width] = /'shape': \((\d+), (\d+)\)/.exec(head) ?? [];
  if (!(kind in KINDS) || !height || !width) throw new Error(`An array of another kind was expected: ${head}`);
  const values = new KINDS[kind as keyof typeof KINDS](data, start + length, Number(height) * Number(width));
  return { height: Number(height), width: Number(width), values };
}

/** Units as people write them, and which sizes of a pixel can be true; the rules are those of `storage/scale.py`. */

const MICRONS: Record<string, number> = {
  "": 1, m: 1e6, cm: 1e4, mm: 1e3, "µm": 1, "μm": 1, um: 1, micron: 1, microns: 1, micrometer: 1, micrometre: 1,
  nm: 1e-3, pm: 1e-6, "å": 1e-4, inch: 25400, in: 25400,
};
const [SMALLEST, LARGEST, LARGEST_PRINTED] = [0.001, 1000, 20];
const [INCH, CENTIMETRE] = [2, 3];

/** From OME-XML, or from ImageJ's lines together with the resolution. */
export function fromDescription(text: string, perUnit: number | undefined): number | undefined {
  const pixels = /<(?:\w+:)?Pixels\b[^<>]*>/.exec(text)?.[0];
  if (pixels) {
    const size = /\bPhysicalSizeX\s*=\s*["']([^"']*)["']/.exec(pixels)?.[1];
    const unit = /\bPhysicalSizeXUnit\s*=\s*["']([^"']*)["']/.exec(pixels)?.[1] ?? "";
    return size ? plausible(Number(size), unit, LARGEST) : undefined;
  }
  const unit = /^unit=(.*)$/m.exec(text)?.[1]?.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  return unit?.trim() && perUnit ? plausible(1 / perUnit, unit, LARGEST) : undefined;
}

/** From pixels per inch or centimetre, unless a printer would say the same. */
export function fromResolution(perUnit: number | undefined, unit: number): number | undefined {
  if (!perUnit || ![INCH, CENTIMETRE].includes(unit)) return undefined;
  return plausible(1 / perUnit, unit === INCH ? "inch" : "cm", LARGEST_PRINTED);
}

function plausible(size: number, unit: string, largest: number): number | undefined {
  const microns = size * (MICRONS[unit.trim().toLowerCase()] ?? NaN);
  return microns > SMALLEST && microns < largest ? Number(microns.toFixed(9)) : undefined;
}

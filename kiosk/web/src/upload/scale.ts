/** The pixel size that a TIFF file tells, read from its first page in the browser; the server reads it again. */
import { ending, type Gathered } from "./gather.ts";
import { fromDescription, fromResolution } from "./microns.ts";
import { firstPage } from "./tiff.ts";

const LOOKED_AT = 5;

export interface Guess {
  pixelSize: number;
  file: string;
}

export async function guess(files: Gathered[]): Promise<Guess | undefined> {
  const tiffs = files.filter(({ path }) => [".tif", ".tiff"].includes(ending(path))).slice(0, LOOKED_AT);
  for (const { path, file } of tiffs) {
    const pixelSize = await told(file).catch(() => undefined);
    if (pixelSize) return { pixelSize, file: path };
  }
  return undefined;
}

async function told(file: Blob): Promise<number | undefined> {
  const page = await firstPage(file);
  return page && (fromDescription(page.description, page.perUnit) ?? fromResolution(page.perUnit, page.unit));
}

/** The pixel size that a TIFF file tells, read from its first page in the browser; the server reads it again. */
import { ending, type Gathered } from "./gather.ts";
import { channelNames } from "./channels.ts";
import { fromDescription, fromResolution } from "./microns.ts";
import { firstPage } from "./tiff.ts";

const LOOKED_AT = 5;

export interface Guess {
  pixelSize: number;
  file: string;
}

export async function guess(files: Gathered[]): Promise<Guess | undefined> {
  for (const { path, file } of tiffs(files)) {
    const pixelSize = await told(file).catch(() => undefined);
    if (pixelSize) return { pixelSize, file: path };
  }
  return undefined;
}

/** What the first of the files that names its channels calls them; none where none of the first few does. */
export async function channels(files: Gathered[]): Promise<string[]> {
  for (const { file } of tiffs(files)) {
    const page = await firstPage(file).catch(() => undefined);
    const names = channelNames(page?.description ?? "");
    if (names.length > 1 && names.some(Boolean)) return names;
  }
  return [];
}

function tiffs(files: Gathered[]): Gathered[] {
  return files.filter(({ path }) => [".tif", ".tiff"].includes(ending(path))).slice(0, LOOKED_AT);
}

async function told(file: Blob): Promise<number | undefined> {
  const page = await firstPage(file);
  return page && (fromDescription(page.description, page.perUnit) ?? fromResolution(page.perUnit, page.unit));
}

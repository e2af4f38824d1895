/** What somebody dropped or chose becomes a list of files, each with its place below the folder. */
import leftOut from "./left-out.json" with { type: "json" };

export interface Gathered {
  path: string;
  file: File;
}

const NO_IMAGES = new Set(leftOut.endings);
const LITTER = new Set(leftOut.litter);

/** All files of a drop, folders with all that is in them. */
export async function fromDrop(dropped: DataTransfer): Promise<Gathered[]> {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return [...dropped.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map((entry) => walked(entry)))).flat();
}

/** The files of an input element; those of a chosen folder know their place in it. */
export function fromInput(files: FileList): Gathered[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** What is sent, and the names of what is not: in folders, files that are no images by their names. */
export function sorted(files: Gathered[]): { sent: Gathered[]; left: string[] } {
  const visible = files.filter(({ path }) => !path.split("/").some(hidden));
  const [sent, left]: [Gathered[], string[]] = [[], []];
  for (const each of visible) {
    if (each.path.includes("/") && NO_IMAGES.has(ending(each.path))) left.push(each.path);
    else sent.push(each);
  }
  sent.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { sent, left };
}

export function ending(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot).toLowerCase() : "";
}

function hidden(part: string): boolean {
  return part.startsWith(".") || LITTER.has(part.toLowerCase());
}

async function walked(entry: FileSystemEntry): Promise<Gathered[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((found, failed) => (entry as FileSystemFileEntry).file(found, failed));
    return [{ path, file }];
  }
  const all: Gathered[] = [];
  for (const inner of await children(entry as FileSystemDirectoryEntry)) all.push(...(await walked(inner)));
  return all;
}

/** Browsers tell a hundred at a time. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((found, failed) => reader.readEntries(found, failed));
    if (!some.length) return all;
    all.push(...some);
  }
}

/** Uploads that were begun and have not ended, kept by the browser: whoever drops the same files again goes on. */

const PREFIX = "monolayer-upload-";

export interface Begun {
  upload: string;
  partSize: number;
  mark: string;
}

export function remembered(name: string): Begun | undefined {
  const text = localStorage.getItem(PREFIX + name);
  return text ? (JSON.parse(text) as Begun) : undefined;
}

export function remember(name: string, begun: Begun): void {
  localStorage.setItem(PREFIX + name, JSON.stringify(begun));
}

export function forget(name: string): void {
  localStorage.removeItem(PREFIX + name);
}

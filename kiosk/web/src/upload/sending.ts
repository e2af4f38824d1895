/** A parcel goes to the store in parts: what arrived before is skipped, what breaks off is sent again. */
import { Away, PREFIX, Refused, get, post, remove } from "../api/calls.ts";
import { authorized } from "../api/token.ts";
import type { Accepted, NewUpload, Options, PartAddress, StoredPart, UploadStarted } from "../api/types.ts";
import { fingerprint, parts, type Parcel } from "./parcels.ts";
import { forget, remember, remembered, type Begun } from "./remembered.ts";

const AT_ONCE = 2;
const [FIRST_PAUSE, LONGEST_PAUSE] = [500, 10_000];

/** How a parcel is to be worked on. */
export interface Wish {
  model: string;
  options: Options;
}

/** The job that a parcel became. */
export type Arrived = Pick<Accepted, "job" | "again">;

/** Hears how many bytes have arrived, and what is being waited for, if anything is. */
export interface Listener {
  sent: (bytes: number) => void;
  waiting: (why: string) => void;
}

/** Send a parcel; returns the job that it became. */
export async function send(parcel: Parcel, wish: Wish, heard: Listener, stop: AbortSignal): Promise<Arrived> {
  const name = `${fingerprint(parcel)}-${wish.model}-${JSON.stringify(wish.options)}`;
  const patient = <Found>(ask: () => Promise<Found>): Promise<Found> => patiently(ask, heard, stop);
  const known = await patient(() => resumable(name));
  const begun = known ?? (await patient(() => begin(parcel, wish, name)));
  if ("job" in begun) return begun;
  const there = new Set(known?.there.map((part) => part.number));
  const path = `/uploads/${begun.upload}`;
  await new Sending(path, there, heard, stop).all(parts(parcel, begun.partSize));
  const stored = await patient(() => get<StoredPart[]>(`${path}/parts`));
  const accepted = await patient(() => post<Accepted>(`${path}/complete`, { parts: stored }));
  forget(name);
  return accepted;
}

/** Give an upload up, and the room that its parts take. */
export async function abandon(parcel: Parcel, wish: Wish): Promise<void> {
  const name = `${fingerprint(parcel)}-${wish.model}-${JSON.stringify(wish.options)}`;
  const begun = remembered(name);
  forget(name);
  if (begun) await remove(`/uploads/${begun.upload}`);
}

async function resumable(name: string): Promise<(Begun & { there: StoredPart[] }) | undefined> {
  const begun = remembered(name);
  if (!begun) return undefined;
  try {
    return { ...begun, there: await get<StoredPart[]>(`/uploads/${begun.upload}/parts`) };
  } catch (error) {
    if (!(error instanceof Refused) || error.passing) throw error;
    forget(name); // it was too old
    return undefined;
  }
}

async function begin(parcel: Parcel, wish: Wish, name: string): Promise<Begun | Arrived> {
  const mark = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const asked = { name: parcel.name, model: wish.model, options: wish.options, size: parcel.size, submission: mark };
  const started = await post<UploadStarted>("/uploads", asked satisfies Partial<NewUpload>);
  if (started.job) return { job: started.job, again: true };
  const begun = { upload: started.upload, partSize: started.part_size, mark };
  remember(name, begun);
  return begun;
}

/** Parts on their way, two at a time. */
class Sending {
  private readonly path: string;
  private readonly there: Set<number>;
  private readonly heard: Listener;
  private readonly stop: AbortSignal;
  private readonly under = new Map<number, number>();
  private done = 0;
  private direct = true;

  constructor(path: string, there: Set<number>, heard: Listener, stop: AbortSignal) {
    [this.path, this.there, this.heard, this.stop] = [path, there, heard, stop];
  }

  async all(blobs: AsyncGenerator<Blob>): Promise<void> {
    let number = 0;
    const one = async (): Promise<void> => {
      for (;;) {
        const next = await blobs.next();
        if (next.done) return;
        await this.one(++number, next.value);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  private async one(number: number, blob: Blob): Promise<void> {
    if (!this.there.has(number)) await patiently(() => this.put(number, blob), this.heard, this.stop);
    this.under.delete(number);
    this.done += blob.size;
    this.tell();
  }

  /** Straight to the store; through the API where this browser can't reach the store, but the API. */
  private async put(number: number, blob: Blob): Promise<void> {
    const heard = (bytes: number): void => {
      this.under.set(number, bytes);
      this.tell();
    };
    if (this.direct) {
      const [address] = await post<PartAddress[]>(`${this.path}/parts?first=${number}&count=1`);
      if (!address) throw new Refused(502, "The API gave no address for a part of the upload.");
      try {
        return await putTo(address.url, blob, heard, this.stop);
      } catch (error) {
        if (!(error instanceof Away)) throw error;
        await get("/health");
        this.direct = false;
      }
    }
    return putTo(`${PREFIX}${this.path}/parts/${number}`, blob, heard, this.stop);
  }

  private tell(): void {
    this.heard.sent(this.done + [...this.under.values()].reduce((sum, bytes) => sum + bytes, 0));
  }
}

/** PUT with progress, which `fetch` can't tell. */
function putTo(url: string, blob: Blob, heard: (bytes: number) => void, stop: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const cut = (): void => request.abort();
    stop.addEventListener("abort", cut);
    request.onloadend = () => stop.removeEventListener("abort", cut);
    request.upload.onprogress = (event) => heard(event.loaded);
    request.onload = () => (request.status < 300 ? done() : failed(refusal(request)));
    request.onerror = () => failed(new Away());
    request.onabort = () => failed(stop.reason);
    request.open("PUT", url);
    if (url.startsWith(PREFIX)) for (const [name, value] of Object.entries(authorized())) request.setRequestHeader(name, value);
    request.send(blob);
  });
}

function refusal(request: XMLHttpRequest): Refused {
  const full = "The disk of the store is full: nothing more can be sent until somebody makes room there.";
  return new Refused(request.status, request.status === 507 ? full : `The store answered ${request.status}.`);
}

/** Ask until there is an answer, as long as nothing but the connection is at fault. */
async function patiently<Found>(ask: () => Promise<Found>, heard: Listener, stop: AbortSignal): Promise<Found> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      stop.throwIfAborted();
      const found = await ask();
      heard.waiting("");
      return found;
    } catch (error) {
      if (!(error instanceof Away || (error instanceof Refused && error.passing))) throw error;
      heard.waiting(error.message);
      await paused(pause, stop);
    }
  }
}

function paused(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((over) => {
    const timer = setTimeout(over, milliseconds);
    stop.addEventListener("abort", () => (clearTimeout(timer), over()), { once: true });
    addEventListener("online", () => (clearTimeout(timer), over()), { once: true });
  });
}

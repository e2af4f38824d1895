/** Requests to the API; what it refuses becomes an error that carries its own sentence. */

import { authorized, wanted } from "./token.ts";

export const PREFIX = "/api/v1";

/** The API said no; the message is a sentence for a person. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** Whether the same request may go through in a moment. */
  get passing(): boolean {
    return [502, 503, 504].includes(this.status);
  }
}

/** Nothing answers. */
export class Away extends Error {
  constructor() {
    super("Monolayer does not answer. Is it running? Start it with: monolayer up");
  }
}

export async function get<Found>(path: string, signal?: AbortSignal): Promise<Found> {
  return (await (await asked(path, signal ? { signal } : {})).json()) as Found;
}

export async function post<Found>(path: string, body?: unknown): Promise<Found> {
  const headers = { "Content-Type": "application/json" };
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers };
  const answer = await asked(path, { method: "POST", ...given });
  return (answer.status === 204 ? undefined : await answer.json()) as Found;
}

export async function remove(path: string): Promise<void> {
  await asked(path, { method: "DELETE" });
}

export async function bytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await asked(path, signal ? { signal } : {})).arrayBuffer();
}

async function asked(path: string, how: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(PREFIX + path, { ...how, headers: { ...(how.headers as Record<string, string>), ...authorized() } });
  } catch (error) {
    if (how.signal?.aborted) throw error;
    throw new Away();
  }
  if (answer.status === 401) wanted();
  if (!answer.ok) throw new Refused(answer.status, await sentence(answer));
  return answer;
}

async function sentence(answer: Response): Promise<string> {
  try {
    const problem: unknown = await answer.json();
    if (problem && typeof problem === "object" && "detail" in problem) return String(problem.detail);
  } catch {
    // no problem document: whoever answered was not the API
  }
  return `${new URL(answer.url).pathname} answered ${answer.status} ${answer.statusText}.`;
}

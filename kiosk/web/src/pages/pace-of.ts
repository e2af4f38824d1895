/** How fast a job goes, and how long it will take. */
import type { JobView } from "../api/types.ts";

export interface Seen {
  at: number;
  ended: number;
}

export interface Pace {
  /** Images per second, of the last seconds while it runs and of all its time when it is done. */
  rate: number | undefined;
  /** Seconds. */
  left: number | undefined;
}

export function paceOf(seen: Seen[], view: Pick<JobView, "state" | "seconds" | "labelled" | "rejected" | "in_flight">): Pace {
  const ended = view.labelled + view.rejected;
  if (view.state === "done") return { rate: view.seconds ? ended / view.seconds : undefined, left: undefined };
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last || last.at - first.at < 1) return { rate: undefined, left: undefined };
  const rate = (last.ended - first.ended) / (last.at - first.at);
  return { rate, left: rate > 0 && view.in_flight !== null ? (view.in_flight ?? 0) / rate : undefined };
}

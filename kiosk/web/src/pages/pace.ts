/** How fast a job goes, from what was told of it lately. */
import { useEffect, useRef, useState } from "react";
import type { JobView } from "../api/types.ts";

const LOOKED_BACK = 20;

interface Seen {
  at: number;
  ended: number;
}

export interface Pace {
  /** Images per second, of the last seconds while it runs and of all its time when it is done. */
  rate: number | undefined;
  /** Seconds. */
  left: number | undefined;
}

export function usePace(view: JobView | undefined): Pace {
  const seen = useRef<Seen[]>([]);
  const [pace, setPace] = useState<Pace>({ rate: undefined, left: undefined });
  useEffect(() => {
    if (!view) return;
    const now = { at: view.seconds, ended: view.labelled + view.rejected };
    seen.current = [...seen.current.filter((each) => each.at > now.at - LOOKED_BACK && each.at < now.at), now];
    setPace(paceOf(seen.current, view));
  }, [view]);
  return pace;
}

export function paceOf(seen: Seen[], view: Pick<JobView, "state" | "seconds" | "labelled" | "rejected" | "in_flight">): Pace {
  const ended = view.labelled + view.rejected;
  if (view.state === "done") return { rate: view.seconds ? ended / view.seconds : undefined, left: undefined };
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last || last.at - first.at < 1) return { rate: undefined, left: undefined };
  const rate = (last.ended - first.ended) / (last.at - first.at);
  return { rate, left: rate > 0 && view.in_flight !== null ? (view.in_flight ?? 0) / rate : undefined };
}

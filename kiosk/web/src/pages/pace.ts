/** How fast a job goes, from what was told of it lately. */
import { useEffect, useRef, useState } from "react";
import type { JobView } from "../api/types.ts";
import { paceOf, type Pace, type Seen } from "./pace-of.ts";

const LOOKED_BACK = 20;

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

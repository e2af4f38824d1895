/** Labelled images that deserve a look before they are believed; asked for once in each round of a job. */
import { createContext, useContext, useEffect, useState } from "react";
import { get } from "../api/calls.ts";
import type { Doubts, JobView } from "../api/types.ts";

export type Flags = Map<number, Doubts["images"][number]>;
/** By job and round: thousands of labels are read for one answer, and each page of an image wants it. */
export type Kept = Map<string, Promise<Doubts>>;
export const KeptFlags = createContext<Kept>(new Map());

/** By number; known when the job is done. */
export function useFlags(view: JobView | undefined): Flags {
  const kept = useContext(KeptFlags);
  const [flags, setFlags] = useState<Flags>(new Map());
  const job = view && view.state === "done" && view.labelled > 0 ? view.job : undefined;
  const round = view?.round;
  useEffect(() => {
    if (!job) return undefined;
    let wanted = true;
    asked(kept, job, `${job} ${round}`).then(
      ({ images }) => wanted && setFlags(new Map(images.map((image) => [image.image, image]))),
      () => undefined, // what else the page shows says that nothing answers
    );
    return () => void (wanted = false);
  }, [kept, job, round]);
  return flags;
}

function asked(kept: Kept, job: string, stamp: string): Promise<Doubts> {
  const before = kept.get(stamp);
  if (before) return before;
  const asking = get<Doubts>(`/jobs/${job}/doubtful`);
  kept.set(stamp, asking);
  asking.catch(() => kept.delete(stamp));
  return asking;
}

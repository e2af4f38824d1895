/** What the API knows, followed by components. */
import { useCallback, useEffect, useRef, useState } from "react";
import { PREFIX, get } from "./calls.ts";
import type { JobView } from "./types.ts";

export interface Asked<Found> {
  found: Found | undefined;
  error: Error | undefined;
  again: () => void;
}

/** The answer at a path; asked once more when the path or `stamp` changes, or on `again`. None where there is no path. */
export function useAsked<Found>(path: string | undefined, stamp: unknown = 0): Asked<Found> {
  const [found, setFound] = useState<{ path: string; value: Found }>();
  const [error, setError] = useState<Error>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    get<Found>(path, stop.signal).then(
      (value) => {
        setFound({ path, value });
        setError(undefined);
      },
      (why: Error) => {
        if (!stop.signal.aborted) setError(why);
      },
    );
    return () => stop.abort();
  }, [path, stamp, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  return { found: found && found.path === path ? found.value : undefined, error, again };
}

/** The value, which changes no oftener than every so many milliseconds: what costs the server more than a look. */
export function useSettled<Value>(value: Value, every: number): Value {
  const [settled, setSettled] = useState(value);
  const changed = useRef(0);
  useEffect(() => {
    if (Object.is(value, settled)) return undefined;
    const wait = Math.max(0, changed.current + every - Date.now());
    const timer = setTimeout(() => {
      changed.current = Date.now();
      setSettled(value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, settled, every]);
  return settled;
}

/** A job as it is now, told once a second until it is done. `turn` follows it anew, after a replay for example. */
export function useJob(job: string, turn: number): { view: JobView | undefined; error: Error | undefined } {
  const first = useAsked<JobView>(`/jobs/${job}`, turn);
  const [told, setTold] = useState<JobView>();
  useEffect(() => {
    setTold(undefined);
    const events = new EventSource(`${PREFIX}/jobs/${job}/progress`);
    events.onmessage = (event: MessageEvent<string>) => {
      const view = JSON.parse(event.data) as JobView;
      setTold(view);
      if (view.state === "done") events.close();
    };
    return () => events.close();
  }, [job, turn]);
  return { view: told ?? first.found, error: told ? undefined : first.error };
}

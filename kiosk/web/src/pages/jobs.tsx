/** The jobs that were, the newest first. */
import { useEffect, useState } from "react";
import type { JobView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Failed, Fates, stateOf } from "../parts/bits.tsx";
import { href } from "../route.ts";
import { dollars, span, when } from "../words.ts";

const [STEP, MOST] = [50, 500];
const LOOK_AGAIN = 3000;

export function JobsPage() {
  const [limit, setLimit] = useState(STEP);
  const { found, error, again } = useAsked<JobView[]>(`/jobs?limit=${limit}`);
  const open = found?.some((each) => each.state !== "done") ?? false;
  useEffect(() => {
    if (!open) return undefined;
    const timer = setInterval(() => document.hidden || again(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [open, again]);
  if (error && !found) return <Failed error={error} />;
  if (found && !found.length)
    return (
      <>
        <h1>Jobs</h1>
        <p>
          There are none yet. <a href={href()}>Submit images</a>
        </p>
      </>
    );
  return (
    <>
      <h1>Jobs</h1>
      <ul className="plain jobs">
        {found?.map((view) => (
          <li key={view.job}>
            <One view={view} />
          </li>
        ))}
      </ul>
      {found && found.length === limit && limit < MOST && (
        <button onClick={() => setLimit(Math.min(MOST, limit * 2))}>Show more</button>
      )}
    </>
  );
}

function One({ view }: { view: JobView }) {
  return (
    <a className="card job" href={href("jobs", view.job)}>
      <span className="name">{view.name}</span>
      <span className={`state ${view.state}`}>{stateOf(view)}</span>
      <Fates view={view} />
      <span className="quiet">
        {view.images === null ? "being counted" : `${view.labelled} of ${view.images} labelled`}
        {view.rejected > 0 && `, ${view.rejected} rejected`} · {when(view.created)} · {span(view.seconds)}
        {view.cost ? ` · ${dollars(view.cost.dollars)}` : ""}
      </span>
    </a>
  );
}

/** The jobs that were, the newest first. */
import { useEffect } from "react";
import type { JobView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Failed, Fates, stateOf } from "../parts/bits.tsx";
import { Turn, useTurns } from "../parts/turn.tsx";
import { href } from "../route.ts";
import { dollars, span, when } from "../words.ts";

const PAGE = 50;
const LOOK_AGAIN = 3000;

export function JobsPage() {
  const turns = useTurns<string>();
  const after = turns.at ? `&after=${turns.at}` : "";
  const { found, error, again } = useAsked<JobView[]>(`/jobs?limit=${PAGE}${after}`);
  const last = found?.length === PAGE ? found.at(-1)?.job : undefined;
  const open = found?.some((each) => each.state !== "done") ?? false;
  useEffect(() => {
    if (!open) return undefined;
    const timer = setInterval(() => document.hidden || again(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [open, again]);
  if (error && !found) return <Failed error={error} />;
  if (found && !found.length && !after)
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
      <Turn label="Pages of jobs" names={["Newer", "Older"]} onBack={after ? turns.back : undefined} onOn={last ? () => turns.on(last) : undefined}>
        {found && (found.length ? `${turns.before * PAGE + 1} to ${turns.before * PAGE + found.length}` : "No more")}
      </Turn>
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
        {view.rejected > 0 && `, ${view.rejected} rejected`} · {when(view.created)} · {span(view.round_seconds ?? view.seconds)}
        {view.cost ? ` · ${dollars(view.cost.dollars)}` : ""}
      </span>
    </a>
  );
}

/** How far a job is: what became of its images, how fast, how long, for how much. */
import type { ReactNode } from "react";
import type { JobView } from "../api/types.ts";
import { usePace } from "../pages/pace.ts";
import { dollars, figure, span } from "../words.ts";
import { Facts, Fates, stateOf } from "./bits.tsx";

export function Progress({ view }: { view: JobView }) {
  const pace = usePace(view);
  const ended = view.labelled + view.rejected + view.cancelled;
  const facts: [string, ReactNode][] = [
    ["State", <State key="state" view={view} />],
    ["Labelled", view.labelled.toLocaleString("en")],
    ["Rejected", view.rejected.toLocaleString("en")],
    ...(view.cancelled ? ([["Cancelled", view.cancelled.toLocaleString("en")]] as [string, ReactNode][]) : []),
    ...(view.state === "done" ? [] : ([["In flight", view.in_flight?.toLocaleString("en") ?? "…"]] as [string, ReactNode][])),
    ["Images per second", pace.rate === undefined ? "…" : figure(Number(pace.rate.toFixed(2)))],
    view.state === "done" ? [view.round ? "Last round took" : "Took", span(view.round_seconds ?? view.seconds)] : ["Time left", pace.left === undefined ? "…" : `about ${span(pace.left)}`],
    ...cost(view),
  ];
  return (
    <section className="card" aria-label="Progress">
      <Fates view={view} />
      <p className="visually-hidden" role="status">
        {view.state === "done" ? `Done: ${view.labelled} labelled, ${view.rejected} rejected.` : tenths(ended, view.images)}
      </p>
      {view.waiting && <p className="waiting">{view.waiting}</p>}
      <Facts facts={facts} />
    </section>
  );
}

function State({ view }: { view: JobView }) {
  return <span className={`state ${view.state}`}>{stateOf(view)}</span>;
}

function cost(view: JobView): [string, ReactNode][] {
  if (!view.cost) return [];
  const { dollars: spent, at_completion } = view.cost;
  const rest = view.state !== "done" && at_completion ? `, ${dollars(at_completion)} at the end` : "";
  return [["Cost so far", <span key="cost" title={view.cost.prices}>{dollars(spent) + rest}</span>]];
}

/** Read aloud ten times at most, and not each second. */
function tenths(ended: number, all: number | null): string {
  return all ? `${Math.floor((10 * ended) / all) * 10} percent done.` : "Images are being counted.";
}

/** Small things that several pages show. */
import type { ReactNode } from "react";
import type { JobView } from "../api/types.ts";

export function Failed({ error, children }: { error: Error; children?: ReactNode }) {
  return (
    <p className="failed" role="alert">
      {error.message} {children}
    </p>
  );
}

export function Bar({ value, label }: { value: number | undefined; label: string }) {
  return <progress aria-label={label} max={1} value={value} />;
}

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One bar for all images of a job, by what became of them. */
export function Fates({ view }: { view: JobView }) {
  const all = view.images ?? 0;
  const shares = [
    ["labelled", view.labelled],
    ["rejected", view.rejected],
    ["cancelled", view.cancelled],
  ] as const;
  const told = shares.map(([fate, number]) => `${number} ${fate}`).join(", ");
  return (
    <div className="fates" role="img" aria-label={`Of ${all} images: ${told}`}>
      {all > 0 &&
        shares.map(([fate, number]) => <span key={fate} className={fate} style={{ width: `${(100 * number) / all}%` }} />)}
    </div>
  );
}

export function stateOf(view: JobView): string {
  if (view.refused) return "refused";
  if (view.held) return "held";
  if (view.state === "listing") return "listing";
  if (view.state === "running") return view.waiting ? "waiting" : "running";
  if (view.cancelled) return "cancelled";
  return view.rejected ? "done, some rejected" : "done";
}

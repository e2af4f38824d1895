/** Where an image, or a job's slowest images, spent their time: a bar for each thing that took some. */
import { Fragment } from "react";
import type { JobTraceView, SpanView, TraceView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Failed } from "../parts/bits.tsx";
import { href } from "../route.ts";
import { figure } from "../words.ts";

export function TracePage({ job, image }: { job: string; image: string | undefined }) {
  const path = image === undefined ? `/jobs/${job}/trace` : `/jobs/${job}/images/${image}/trace`;
  const { found, error } = useAsked<TraceView | JobTraceView>(path);
  return (
    <>
      <p>
        <a href={href("jobs", job)}>Back to the job</a>
      </p>
      <h1>Where the time went{image !== undefined && `: image ${image}`}</h1>
      {error && <Failed error={error} />}
      {found && <Waterfall trace={found} />}
      {found && "slowest" in found && <Slowest job={job} found={found} />}
    </>
  );
}

function Waterfall({ trace }: { trace: TraceView }) {
  if (!trace.spans.length) return <p className="quiet">There is no trace of the job itself; its images may have some.</p>;
  return (
    <div className="card waterfall">
      {nested(trace.spans).map(({ span, depth }) => (
        <Fragment key={span.span}>
          <span className="what" style={{ paddingLeft: `${depth}em` }} title={about(span)}>
            {span.name}
          </span>
          <span className="bar">
            <span style={{ left: share(span.after, trace.seconds), width: share(span.seconds, trace.seconds) }} />
          </span>
          <span className="number">{milliseconds(span.seconds)}</span>
        </Fragment>
      ))}
    </div>
  );
}

function Slowest({ job, found }: { job: string; found: JobTraceView }) {
  if (!found.slowest?.length) return null;
  const longest = Math.max(...found.slowest.map((each) => each.seconds));
  return (
    <section className="card waterfall" aria-labelledby="slowest">
      <h2 id="slowest">The slowest images</h2>
      {found.slowest.map((each) => (
        <Fragment key={`${each.image}-${each.round}`}>
          <a className="what name" href={href("jobs", job, "trace", each.image)}>
            {each.name}
          </a>
          <span className="bar">
            <span style={{ left: "0", width: share(each.seconds, longest) }} />
          </span>
          <span className="number">{milliseconds(each.seconds)}</span>
        </Fragment>
      ))}
    </section>
  );
}

/** Each span right after its parent and the parent's earlier ones; what has no parent here is a root. */
function nested(spans: SpanView[]): { span: SpanView; depth: number }[] {
  const known = new Set(spans.map((span) => span.span));
  const below = (parent: string | undefined, depth: number): { span: SpanView; depth: number }[] =>
    spans
      .filter((span) => (known.has(span.parent) ? span.parent : undefined) === parent)
      .sort((one, other) => one.after - other.after)
      .flatMap((span) => [{ span, depth }, ...below(span.span, depth + 1)]);
  return below(undefined, 0);
}

function about(span: SpanView): string {
  return Object.entries(span.about ?? {}).map(([name, value]) => `${name}: ${value}`).join("\n");
}

function share(part: number, whole: number): string {
  return `${whole ? (100 * part) / whole : 0}%`;
}

function milliseconds(seconds: number): string {
  return seconds < 1 ? `${figure(Number((seconds * 1000).toPrecision(3)))} ms` : `${seconds.toFixed(2)} s`;
}

export default TracePage;

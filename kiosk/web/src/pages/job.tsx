/** One job: how far it is, what came of its images, and what can be done about it. */
import { useState } from "react";
import { PREFIX, post } from "../api/calls.ts";
import type { JobView } from "../api/types.ts";
import { useJob } from "../api/use.ts";
import { Failed } from "../parts/bits.tsx";
import { Gallery } from "../parts/gallery.tsx";
import { Progress } from "../parts/progress.tsx";
import { Rejected } from "../parts/rejected.tsx";
import { Release } from "../parts/release.tsx";
import { useTraced } from "../parts/traced.ts";
import { href } from "../route.ts";
import { count, figure } from "../words.ts";

export function JobPage({ job }: { job: string }) {
  const [turn, setTurn] = useState(0);
  const { view, error } = useJob(job, turn);
  const again = (): void => setTurn((before) => before + 1);
  if (error) return <Failed error={error} />;
  if (!view) return <p className="quiet">Looking for the job.</p>;
  return (
    <>
      <h1>{view.name}</h1>
      <p className="quiet">{asked(view)}</p>
      {view.refused && <p className="failed" role="alert">{view.refused}</p>}
      {view.held && <Release view={view} onDone={again} />}
      <Progress view={view} />
      <Actions view={view} onDone={again} />
      {view.rejected > 0 && <Rejected view={view} onDone={again} />}
      <Gallery view={view} />
    </>
  );
}

function Actions({ view, onDone }: { view: JobView; onDone: () => void }) {
  const [error, setError] = useState<Error>();
  const traced = useTraced();
  const cancel = (): void => {
    if (!confirm(`Cancel ${view.name}? What is labelled stays; nothing more is begun.`)) return;
    post(`/jobs/${view.job}/cancel`).then(onDone, setError);
  };
  return (
    <p className="actions">
      {view.labelled > 0 && (
        <a className="button main" href={`${PREFIX}/jobs/${view.job}/results`} download>
          Download results{view.state === "done" ? "" : " so far"}
        </a>
      )}
      {traced && (
        <a className="button" href={href("jobs", view.job, "trace")}>
          Where the time went
        </a>
      )}
      {view.state !== "done" && <button onClick={cancel}>Cancel the job</button>}
      {error && <Failed error={error} />}
    </p>
  );
}

/** What was asked for, in a line. */
function asked(view: JobView): string {
  const { pixel_size, diameter, channel } = view.options ?? {};
  const parts = [
    view.images === null ? "images are being counted" : count(view.images, "image"),
    `model ${view.model}`,
    pixel_size ? `${figure(pixel_size)} µm per pixel` : diameter ? `nuclei of ${figure(diameter)} pixels` : "sizes as the files say, or as estimated",
    `channel ${channel ?? "1, the first"}`,
    `job ${view.job}`,
  ];
  return parts.join(" · ");
}

/** Images without labels, each with the reason, and the button that sends them through again. */
import { useState } from "react";
import { post } from "../api/calls.ts";
import type { JobView, RejectedImage, Replayed } from "../api/types.ts";
import { useAsked, useSettled } from "../api/use.ts";
import { count } from "../words.ts";
import { Failed } from "./bits.tsx";
import { Turn, useTurns } from "./turn.tsx";

const PAGE = 100;
const LOOK_AGAIN = 5000;

export function Rejected({ view, onDone }: { view: JobView; onDone: () => void }) {
  const stamp = useSettled(`${view.rejected} ${view.round}`, LOOK_AGAIN);
  const turns = useTurns<number>();
  const { found, error } = useAsked<RejectedImage[]>(`/jobs/${view.job}/rejected?first=${turns.at ?? 0}&limit=${PAGE}`, stamp);
  const last = found?.length === PAGE ? found.at(-1) : undefined;
  const [said, setSaid] = useState("");
  const [failed, setFailed] = useState<Error>();
  const replay = (which: { reason?: string; image?: string }): void => {
    setFailed(undefined);
    post<Replayed>(`/jobs/${view.job}/replay`, which).then((replayed) => {
      setSaid(replayed.images ? `${count(replayed.images, "image")} sent through again. ${replayed.note ?? ""}` : (replayed.note ?? ""));
      onDone();
    }, setFailed);
  };
  return (
    <section className="card" aria-labelledby="rejected">
      <h2 id="rejected">Rejected: {count(view.rejected, "image")}</h2>
      {error && <Failed error={error} />}
      {failed && <Failed error={failed} />}
      <p role="status">{said}</p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Rejected images">
        <table>
          <thead>
            <tr>
              <th scope="col">Image</th>
              <th scope="col">Reason</th>
              <th scope="col">What was found</th>
            </tr>
          </thead>
          <tbody>
            {found?.map((each) => (
              <tr key={each.image}>
                <td className="name">{each.name}</td>
                <td>{each.reason.replaceAll("_", " ")}</td>
                <td>{each.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Turn
        label="Pages of rejected images"
        names={["Earlier", "Later"]}
        onBack={turns.before ? turns.back : undefined}
        onOn={last ? () => turns.on(last.image + 1) : undefined}
      >
        {found && (found.length ? `${turns.before * PAGE + 1} to ${turns.before * PAGE + found.length}` : "No more")}
      </Turn>
      {view.state === "done" && <button onClick={() => replay({})}>Replay: send them through again</button>}
    </section>
  );
}

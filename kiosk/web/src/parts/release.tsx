/** Why a job is held, and how it goes on. */
import { useState } from "react";
import { post } from "../api/calls.ts";
import type { JobView } from "../api/types.ts";
import { Failed } from "./bits.tsx";

export function Release({ view, onDone }: { view: JobView; onDone: () => void }) {
  const [budget, setBudget] = useState("");
  const [error, setError] = useState<Error>();
  return (
    <form
      className="card waiting"
      onSubmit={(event) => {
        event.preventDefault();
        post(`/jobs/${view.job}/release`, budget ? { budget: Number(budget) } : {}).then(onDone, setError);
      }}
    >
      <p>{view.held}</p>
      {error && <Failed error={error} />}
      <p className="actions">
        {view.budget != null && (
          <label>
            It may cost, in dollars
            <input type="number" min="0" step="any" value={budget} placeholder={String(view.budget)} onChange={(event) => setBudget(event.target.value)} />
          </label>
        )}
        <button>Let it go on</button>
      </p>
    </form>
  );
}

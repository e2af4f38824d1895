/** The models that jobs may name. */
import { useState } from "react";
import { post } from "../api/calls.ts";
import type { HeldView, ModelView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Facts, Failed } from "../parts/bits.tsx";
import { figure } from "../words.ts";

export function ModelsPage() {
  const { found, error } = useAsked<ModelView[]>("/models");
  const held = useAsked<HeldView[]>("/held");
  return (
    <>
      <h1>Models</h1>
      {error && <Failed error={error} />}
      <ul className="plain">
        {found?.map((model) => (
          <li key={model.name} className="card">
            <h2>{model.name}</h2>
            <Held held={held.found?.find((each) => each.kind === "model" && each.name === model.name)} onDone={held.again} />
            <Facts
              facts={[
                ["Version", model.version],
                ["Trained at", model.pixel_size ? `${figure(model.pixel_size)} µm per pixel` : "no known pixel size"],
                ["Typical diameter", model.diameter ? `${figure(model.diameter)} pixels` : "not known"],
                ["Digest", <code key="digest" title={model.digest}>{model.digest.slice(0, 12)}</code>],
              ]}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

function Held({ held, onDone }: { held: HeldView | undefined; onDone: () => void }) {
  const [error, setError] = useState<Error>();
  if (!held) return null;
  return (
    <div className="waiting">
      <p>{held.why}</p>
      {error && <Failed error={error} />}
      <button onClick={() => void post(`/models/${held.name}/release`).then(onDone, setError)}>Let it go on</button>
    </div>
  );
}

/** Drop files, choose how they are worked on, start. */
import { useEffect, useState } from "react";
import type { ModelView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Failed } from "../parts/bits.tsx";
import { Drop } from "../parts/drop.tsx";
import { Shipments } from "../parts/shipments.tsx";
import { href } from "../route.ts";
import { sorted, type Gathered } from "../upload/gather.ts";
import { parcels } from "../upload/parcels.ts";
import { channels, guess } from "../upload/scale.ts";
import type { Sendings } from "../upload/sendings.ts";
import { count, size } from "../words.ts";
import { Settings, wishOf, type Form } from "./settings.tsx";

const EMPTY: Form = { model: "", pixelSize: "", diameter: "", channel: "" };

export function SubmitPage({ sendings }: { sendings: Sendings }) {
  const models = useAsked<ModelView[]>("/models");
  const [files, setFiles] = useState<Gathered[]>([]);
  const [form, setForm] = useState<Form>(EMPTY);
  const { sent, left } = sorted(files);
  const seen = useSeen(sent, guess);
  const named = useSeen(sent, channels);
  const chosen = form.model || models.found?.[0]?.name || "";
  const start = async (): Promise<void> => {
    setFiles([]);
    const job = await sendings.start(parcels(sent), wishOf({ ...form, model: chosen }));
    if (job && !location.hash.replace(/^#\/?/, "")) location.hash = href("jobs", job);
  };
  return (
    <>
      <h1>Label cells in your images</h1>
      <Drop onFiles={(more) => setFiles((before) => merged(before, more))} small={sent.length > 0} />
      {models.error && <Failed error={models.error} />}
      {sent.length > 0 && (
        <form
          className="card"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <Chosen sent={sent} left={left} onClear={() => setFiles([])} />
          <Settings form={{ ...form, model: chosen }} models={models.found ?? []} guess={seen} channels={named ?? []} onChange={setForm} />
          <button className="main" type="submit" disabled={!chosen}>
            Start
          </button>
        </form>
      )}
      <Shipments sendings={sendings} />
    </>
  );
}

function Chosen({ sent, left, onClear }: { sent: Gathered[]; left: string[]; onClear: () => void }) {
  const bytes = sent.reduce((sum, each) => sum + each.file.size, 0);
  const jobs = parcels(sent).length;
  return (
    <div className="chosen" aria-live="polite">
      <p>
        <strong>{count(sent.length, "file")}</strong>, {size(bytes)}
        {jobs > 1 && `, ${jobs} jobs: each zip is one of its own`}
        <button type="button" className="link" onClick={onClear}>
          Remove
        </button>
      </p>
      <p className="quiet names">
        {sent.slice(0, 4).map((each) => each.path).join(", ")}
        {sent.length > 4 && " …"}
      </p>
      {left.length > 0 && (
        <p className="quiet names">
          Left out, being no images by their names: {left.slice(0, 5).join(", ")}
          {left.length > 5 && ` and ${left.length - 5} more`}
        </p>
      )}
    </div>
  );
}

function merged(before: Gathered[], more: Gathered[]): Gathered[] {
  return [...new Map([...before, ...more].map((each) => [each.path, each])).values()];
}

/** What a look into the first few of the files tells. */
function useSeen<Told>(files: Gathered[], look: (files: Gathered[]) => Promise<Told>): Told | undefined {
  const [found, setFound] = useState<Told>();
  const names = files.map((each) => each.path).join("\n");
  useEffect(() => {
    let wanted = true;
    setFound(undefined);
    void look(files).then((one) => wanted && setFound(() => one));
    return () => void (wanted = false);
  }, [names]);
  return found;
}

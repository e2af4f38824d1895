/** Images of a job with their outlines, a page of them at a time. */
import { useState } from "react";
import { PREFIX } from "../api/calls.ts";
import type { Doubts, ImagePage, ImageView, JobView } from "../api/types.ts";
import { useAsked, useSettled } from "../api/use.ts";
import { href } from "../route.ts";
import { Failed } from "./bits.tsx";
import { Turn } from "./turn.tsx";

const PAGE = 24;
const THUMB = 320;
const LOOK_AGAIN = 1500;
/** So many doubtful images are named. */
const NAMED = 5;

export function Gallery({ view }: { view: JobView }) {
  const [first, setFirst] = useState(0);
  const ended = view.labelled + view.rejected + view.cancelled;
  const path = view.images === null ? undefined : `/jobs/${view.job}/images?first=${first}&count=${PAGE}`;
  const { found, error } = useAsked<ImagePage>(path, useSettled(`${ended} ${view.state} ${view.round}`, LOOK_AGAIN));
  const flags = useFlags(view);
  const [kept, setKept] = useState<ImagePage>();
  if (found && found !== kept) setKept(found);
  const shown = found ?? kept;
  if (error && !shown) return <Failed error={error} />;
  if (!shown?.images.length) return null;
  const total = shown.total ?? 0;
  return (
    <section aria-labelledby="gallery">
      <h2 id="gallery">Images</h2>
      {flags.size > 0 && (
        <p>
          Look at these first: {[...flags.values()].map((image) => `${image.name} (${image.flags.join(", ")})`).slice(0, NAMED).join("; ")}
          {flags.size > NAMED && ` and ${flags.size - NAMED} others`}.
        </p>
      )}
      <ul className="gallery">
        {shown.images.map((image) => (
          <li key={image.image}>
            <Tile job={view.job} image={image} flags={flags.get(image.image)?.flags ?? []} />
          </li>
        ))}
      </ul>
      <Turn
        label="Pages of images"
        names={["Earlier", "Later"]}
        onBack={first > 0 ? () => setFirst(Math.max(0, first - PAGE)) : undefined}
        onOn={first + PAGE < total ? () => setFirst(first + PAGE) : undefined}
      >
        {first + 1} to {Math.min(first + PAGE, total)} of {total.toLocaleString("en")}
      </Turn>
    </section>
  );
}

/** Labelled images that deserve a look before they are believed, by number; known when the job is done. */
function useFlags(view: JobView): Map<number, Doubts["images"][number]> {
  const path = view.state === "done" && view.labelled > 0 ? `/jobs/${view.job}/doubtful` : undefined;
  const { found } = useAsked<Doubts>(path, view.round);
  return new Map(found?.images.map((image) => [image.image, image]));
}

function Tile({ job, image, flags }: { job: string; image: ImageView; flags: string[] }) {
  const name = (
    <span className="name">
      {image.name}
      {flags.length > 0 && <span className="doubt">{flags.join(", ")}</span>}
    </span>
  );
  if (image.fate !== "labelled")
    return (
      <div className={`tile ${image.fate.replace(" ", "-")}`}>
        <span className="fate">{image.fate}</span>
        {name}
      </div>
    );
  return (
    <a className="tile" href={href("jobs", job, "images", image.image)}>
      <img
        src={`${PREFIX}/jobs/${job}/images/${image.image}/overlay?longest=${THUMB}`}
        alt={`Outlines of cells in ${image.name}`}
        loading="lazy"
        decoding="async"
      />
      {name}
    </a>
  );
}

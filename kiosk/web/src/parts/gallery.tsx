/** Images of a job with their outlines, a page of them at a time. */
import { useState } from "react";
import { PREFIX } from "../api/calls.ts";
import type { ImagePage, ImageView, JobView } from "../api/types.ts";
import { useAsked, useSettled } from "../api/use.ts";
import { href } from "../route.ts";
import { Failed } from "./bits.tsx";
import { useFlags, type Flags } from "./flags.tsx";
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
      {flags.size > 0 && <First job={view.job} flags={flags} />}
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

/** What deserves a look before it is believed, each a link to it; all of them where that is asked for. */
function First({ job, flags }: { job: string; flags: Flags }) {
  const [all, setAll] = useState(false);
  const named = [...flags.values()].slice(0, all ? undefined : NAMED);
  return (
    <div className="first">
      <p id="first">Look at these first, before you trust the labels:</p>
      <ul aria-labelledby="first">
        {named.map((image) => (
          <li key={image.image}>
            <a href={href("jobs", job, "images", image.image)}>{image.name}</a> <span className="doubt">{image.flags.join(", ")}</span>
          </li>
        ))}
      </ul>
      {named.length < flags.size && (
        <button className="link" onClick={() => setAll(true)}>
          and {flags.size - named.length} others
        </button>
      )}
    </div>
  );
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

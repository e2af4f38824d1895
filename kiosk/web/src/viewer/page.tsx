/** One image with its cells: look whether the mask is right, and what was measured. */
import { useEffect, useMemo, useState } from "react";
import { PREFIX, bytes } from "../api/calls.ts";
import type { CellsView, JobView } from "../api/types.ts";
import { useAsked } from "../api/use.ts";
import { Failed } from "../parts/bits.tsx";
import { useFlags } from "../parts/flags.tsx";
import { useTraced } from "../parts/traced.ts";
import { href } from "../route.ts";
import { count, figure } from "../words.ts";
import { Canvas } from "./canvas.tsx";
import { atBorder, column, rowOf, rowsOf, told } from "./cells.ts";
import { Controls } from "./controls.tsx";
import { range, type Look } from "./draw.ts";
import { Histogram } from "./histogram.tsx";
import { raster, type Raster } from "./npy.ts";
import "./viewer.css";

const LONGEST = 4096;
const FIRST: Look = { outlines: true, fill: 0, black: 0, white: 255, line: 1 };

export default function ViewerPage({ job, image }: { job: string; image: number }) {
  const path = `/jobs/${job}/images/${image}`;
  const cells = useAsked<CellsView>(`${path}/cells`);
  const view = useAsked<JobView>(`/jobs/${job}`);
  const [plane, setPlane] = useState(0);
  const pixels = useRaster(`${path}/pixels?plane=${plane}&longest=${LONGEST}`);
  const labels = useRaster(`${path}/labels?plane=${plane}&longest=${LONGEST}`);
  const flags = useFlags(view.found).get(image)?.flags;
  const error = cells.error ?? labels.error;
  return (
    <>
      <Ways job={job} image={image} last={(view.found?.images ?? 0) - 1} />
      <h1>{cells.found?.name ?? `Image ${image}`}</h1>
      {flags && <p className="doubt">Look before you trust the labels: {flags.join(", ")}</p>}
      {error && <Failed error={error} />}
      {pixels.error && <Failed error={pixels.error}>The labels are shown without it.</Failed>}
      {cells.found && labels.found && (pixels.found ?? pixels.error) ? (
        <Viewer cells={cells.found} labels={labels.found} pixels={pixels.found} plane={plane} onPlane={setPlane} path={path} />
      ) : (
        !error && <p className="quiet">Fetching the image.</p>
      )}
    </>
  );
}

interface Given {
  cells: CellsView;
  labels: Raster;
  pixels: Raster | undefined;
  plane: number;
  onPlane: (plane: number) => void;
  path: string;
}

function Viewer({ cells, labels, pixels, plane, onPlane, path }: Given) {
  const usual = useMemo(() => (pixels ? range(pixels) : { low: 0, high: 255, least: 0, most: 255 }), [pixels]);
  const reset = (look: Look): Look => ({ ...look, black: usual.low, white: usual.high });
  const [look, setLook] = useState(() => reset({ ...FIRST, line: Math.max(1, Math.round(devicePixelRatio)) }));
  const [chosen, setChosen] = useState(0);
  useEffect(() => setChosen(0), [plane]);
  const rows = useMemo(() => rowsOf(cells, plane), [cells, plane]);
  const row = rowOf(cells, rows, chosen);
  const step = (by: number): void => {
    const now = row === undefined ? (by > 0 ? -1 : 0) : rows.indexOf(row);
    const next = rows[(now + by + rows.length) % rows.length];
    if (next !== undefined) setChosen(cells.columns.label![next]!);
  };
  const centre = useMemo(() => (row === undefined ? undefined : centreOf(cells, row, labels)), [cells, row, labels]);
  return (
    <div className="viewer">
      <Canvas name={cells.name} {...{ pixels, labels, look, chosen, centre }} onChoose={setChosen} onStep={step} />
      <aside>
        <Controls
          {...{ look, plane, onPlane, planes: cells.planes }}
          contrast={pixels && usual}
          onLook={setLook}
          onReset={() => setLook(reset)}
        />
        <Measured cells={cells} row={row} chosen={chosen} number={rows.length} onStep={step} />
        <Histograms cells={cells} rows={rows} row={row} />
        <p className="quiet">
          {cells.width} × {cells.height} pixels{cells.pixel_size ? `, ${figure(cells.pixel_size)} µm each` : ""}.{" "}
          <a href={`${PREFIX}${path}/labels.tif`} download={`labels-${cells.image}.tif`}>
            Labels as OME-TIFF
          </a>
        </p>
      </aside>
    </div>
  );
}

function Measured({ cells, row, chosen, number, onStep }: { cells: CellsView; row: number | undefined; chosen: number; number: number; onStep: (by: number) => void }) {
  return (
    <section aria-label="The chosen cell" className="measured">
      <p className="actions">
        <strong>{row === undefined ? count(number, "cell") : `Cell ${chosen} of ${number}`}</strong>
        <button onClick={() => onStep(-1)} aria-label="The cell before">‹</button>
        <button onClick={() => onStep(1)} aria-label="The next cell">›</button>
      </p>
      <div role="status">
        {row === undefined ? (
          <p className="quiet">Click a cell to see what was measured.</p>
        ) : (
          <table>
            <tbody>
              {told(cells, row).map(([words, value]) => (
                <tr key={words}>
                  <th scope="row">{words}</th>
                  <td className="number">{figure(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {row !== undefined && atBorder(cells, row) && <p className="quiet">It touches the border: only a part of it may be in the image.</p>}
      </div>
    </section>
  );
}

function Histograms({ cells, rows, row }: { cells: CellsView; rows: number[]; row: number | undefined }) {
  const area = cells.columns.area_um2 ? ["area_um2", "Area, µm²"] : ["area_px", "Area, pixels"];
  return [area, ["intensity_mean", "Mean intensity"]].map(([name, words]) => (
    <Histogram key={name} name={words!} values={column(cells, name!, rows)} chosen={row === undefined ? undefined : cells.columns[name!]?.[row]} />
  ));
}

function Ways({ job, image, last }: { job: string; image: number; last: number }) {
  const traced = useTraced();
  return (
    <nav className="ways" aria-label="Images of the job">
      <a href={href("jobs", job)}>Back to the job</a>
      {image > 0 && <a href={href("jobs", job, "images", image - 1)}>Image before</a>}
      {image < last && <a href={href("jobs", job, "images", image + 1)}>Next image</a>}
      {traced && <a href={href("jobs", job, "trace", image)}>Where its time went</a>}
    </nav>
  );
}

/** In pixels of the raster, which may be smaller than the image. */
function centreOf(cells: CellsView, row: number, labels: Raster): [number, number] | undefined {
  const [x, y] = [cells.columns.centroid_x_px?.[row], cells.columns.centroid_y_px?.[row]];
  const factor = labels.width / cells.width;
  return x === undefined || y === undefined ? undefined : [x * factor, y * factor];
}

function useRaster(path: string): { found: Raster | undefined; error: Error | undefined } {
  const [state, setState] = useState<{ found?: Raster; error?: Error }>({});
  useEffect(() => {
    const stop = new AbortController();
    bytes(path, stop.signal).then(
      (data) => setState({ found: raster(data) }),
      (error: Error) => stop.signal.aborted || setState({ error }),
    );
    return () => stop.abort();
  }, [path]);
  return { found: state.found, error: state.error };
}

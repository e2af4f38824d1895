/** How many cells have which size or brightness; the chosen one is marked. */
import { figure } from "../words.ts";
import { binOf, binned } from "./histogram-bins.ts";

const BINS = 24;
const [WIDTH, HEIGHT] = [240, 60];

export function Histogram({ name, values, chosen }: { name: string; values: number[]; chosen: number | undefined }) {
  if (!values.length) return null;
  const { counts, least, step } = binned(values, BINS);
  const most = Math.max(...counts);
  const middle = [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
  const bar = WIDTH / BINS;
  const marked = chosen === undefined ? -1 : binOf(chosen, least, step, BINS);
  const end = least + step * BINS;
  return (
    <figure className="histogram">
      <figcaption>
        {name} <span className="quiet">median {figure(middle)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: from ${figure(least)} to ${figure(end)}, median ${figure(middle)}`}>
        {counts.map((count, at) => {
          const height = count ? Math.max(1, (count / most) * HEIGHT) : 0;
          return (
            <rect key={at} className={at === marked ? "marked" : ""} x={at * bar} y={HEIGHT - height} width={bar - 1} height={height}>
              <title>{`${count} from ${figure(least + at * step)} to ${figure(least + (at + 1) * step)}`}</title>
            </rect>
          );
        })}
      </svg>
      <div className="ends quiet">
        <span>{figure(least)}</span>
        <span>{figure(end)}</span>
      </div>
    </figure>
  );
}

/** What can be changed about the picture. */
import type { Look } from "./draw.ts";

interface Range {
  least: number;
  most: number;
}

interface Given {
  look: Look;
  /** The least and the largest value there are; none where the image's pixels can't be had. */
  contrast: Range | undefined;
  planes: number;
  plane: number;
  onLook: (look: Look) => void;
  onPlane: (plane: number) => void;
  onReset: () => void;
}

export function Controls({ look, contrast, planes, plane, onLook, onPlane, onReset }: Given) {
  return (
    <fieldset className="controls">
      <legend className="visually-hidden">The picture</legend>
      {planes > 1 && <Slider name={`Plane ${plane}`} value={plane} min={0} max={planes - 1} step={1} onChange={onPlane} />}
      <label className="check">
        <input type="checkbox" checked={look.outlines} onChange={(event) => onLook({ ...look, outlines: event.target.checked })} />
        Outlines
      </label>
      <Slider name="Fill" value={look.fill} min={0} max={1} step={0.05} onChange={(fill) => onLook({ ...look, fill })} />
      {contrast && <Contrast {...{ look, onLook, onReset }} {...contrast} />}
    </fieldset>
  );
}

function Contrast({ look, least, most, onLook, onReset }: Range & Pick<Given, "look" | "onLook" | "onReset">) {
  return (
    <>
      <Slider
        name={`Black at ${look.black}`}
        value={look.black}
        min={least}
        max={most}
        step={1}
        onChange={(black) => onLook({ ...look, black: Math.min(black, look.white - 1) })}
      />
      <Slider
        name={`White at ${look.white}`}
        value={look.white}
        min={least}
        max={most}
        step={1}
        onChange={(white) => onLook({ ...look, white: Math.max(white, look.black + 1) })}
      />
      <button type="button" onClick={onReset}>
        Usual contrast
      </button>
    </>
  );
}

interface SliderGiven {
  name: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

function Slider({ name, onChange, ...given }: SliderGiven) {
  return (
    <label>
      {name}
      <input type="range" {...given} onChange={(event) => onChange(Number(event.target.value))} />
    </label>
  );
}

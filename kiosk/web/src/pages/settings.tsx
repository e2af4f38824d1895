/** How images are worked on: model, pixel size or diameter, channel. */
import type { ModelView } from "../api/types.ts";
import type { Guess } from "../upload/scale.ts";
import type { Wish } from "../upload/sending.ts";
import { figure } from "../words.ts";

/** What is typed; empty where nothing is. */
export interface Form {
  model: string;
  pixelSize: string;
  diameter: string;
  channel: string;
}

interface Given {
  form: Form;
  models: ModelView[];
  guess: Guess | undefined;
  /** What the files call their channels; none where they don't. */
  channels: string[];
  onChange: (form: Form) => void;
}

export function wishOf(form: Form): Wish {
  const options = {
    ...(form.pixelSize && { pixel_size: Number(form.pixelSize) }),
    ...(form.diameter && { diameter: Number(form.diameter) }),
    ...(form.channel && { channel: Number(form.channel) }),
  };
  return { model: form.model, options };
}

export function Settings({ form, models, guess, channels, onChange }: Given) {
  const change = (name: keyof Form) => (event: { target: { value: string } }) =>
    onChange({ ...form, [name]: event.target.value });
  const model = models.find((each) => each.name === form.model);
  return (
    <div className="settings">
      <label>
        Model
        <select value={form.model} onChange={change("model")}>
          {models.map((each) => (
            <option key={each.name} value={each.name}>
              {each.name} (version {each.version})
            </option>
          ))}
        </select>
      </label>
      <label>
        Pixel size, µm
        <input
          inputMode="decimal"
          type="number"
          min="0.001"
          max="1000"
          step="any"
          value={form.pixelSize}
          placeholder={guess ? figure(guess.pixelSize) : "from the files"}
          onChange={change("pixelSize")}
          disabled={Boolean(form.diameter)}
          aria-describedby="size-hint"
        />
      </label>
      <label>
        or diameter of a nucleus, pixels
        <input
          inputMode="decimal"
          type="number"
          min="1"
          step="any"
          value={form.diameter}
          placeholder={model?.diameter ? `typically ${figure(model.diameter)}` : ""}
          onChange={change("diameter")}
          disabled={Boolean(form.pixelSize)}
        />
      </label>
      <label>
        Channel, counted from 1
        {channels.length > 0 ? (
          <select value={form.channel} onChange={change("channel")}>
            <option value="">the first: {channels[0] || "no name"}</option>
            {channels.map((name, index) => (
              <option key={index} value={index + 1}>
                {index + 1}: {name || "no name"}
              </option>
            ))}
          </select>
        ) : (
          <input type="number" min="1" step="1" value={form.channel} placeholder="the first" onChange={change("channel")} />
        )}
      </label>
      <p id="size-hint" className="quiet">
        {hint(guess)}
      </p>
    </div>
  );
}

function hint(guess: Guess | undefined): string {
  if (guess) return `${guess.file} says ${figure(guess.pixelSize)} µm per pixel. Each file's own size is used, unless you give one.`;
  return "Each file's own pixel size is used where it says one. Where none does, it is estimated; better give it, or the diameter of a typical nucleus: the labels depend on it.";
}

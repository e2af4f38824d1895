/** Pages of a list that has no end: what comes after the last of a page is asked for by it. */
import { useState, type ReactNode } from "react";

export interface Turns<Cursor> {
  /** Where the page begins; none for the first. */
  at: Cursor | undefined;
  /** How many pages lie before. */
  before: number;
  back: () => void;
  on: (after: Cursor) => void;
}

export function useTurns<Cursor>(): Turns<Cursor> {
  const [passed, setPassed] = useState<Cursor[]>([]);
  return {
    at: passed.at(-1),
    before: passed.length,
    back: () => setPassed((all) => all.slice(0, -1)),
    on: (after) => setPassed((all) => [...all, after]),
  };
}

interface Given {
  label: string;
  names: [string, string];
  onBack: (() => void) | undefined;
  onOn: (() => void) | undefined;
  children?: ReactNode;
}

/** Nothing where there is but one page. */
export function Turn({ label, names: [back, on], onBack, onOn, children }: Given) {
  if (!onBack && !onOn) return null;
  return (
    <nav className="turn" aria-label={label}>
      <button disabled={!onBack} onClick={onBack}>
        {back}
      </button>
      <span>{children}</span>
      <button disabled={!onOn} onClick={onOn}>
        {on}
      </button>
    </nav>
  );
}

/** The table of an image's cells, as the viewer asks it. */
import type { CellsView } from "../api/types.ts";

const PLANE = "plane";
const NAMES: Record<string, string> = {
  area_px: "Area, pixels",
  area_um2: "Area, µm²",
  diameter_px: "Diameter, pixels",
  diameter_um: "Diameter, µm",
  intensity_mean: "Mean intensity",
  intensity_total: "Total intensity",
  centroid_y_px: "Row of the centre",
  centroid_x_px: "Column of the centre",
};

/** Rows of one plane, as indices into the columns. */
export function rowsOf(cells: CellsView, plane: number): number[] {
  const planes = cells.columns[PLANE];
  const all = (cells.columns.label ?? []).map((_, row) => row);
  return planes ? all.filter((row) => planes[row] === plane) : all;
}

/** The column's values in these rows; empty where there is no such column. */
export function column(cells: CellsView, name: string, rows: number[]): number[] {
  const values = cells.columns[name];
  return values ? rows.map((row) => values[row]!) : [];
}

/** What was measured of a cell, in words. */
export function told(cells: CellsView, row: number): [string, number][] {
  const known = Object.entries(NAMES).filter(([name]) => cells.columns[name]);
  return known.map(([name, words]) => [words, cells.columns[name]![row]!]);
}

/** Whether the cell may go on outside the image; labels of older versions don't say. */
export function atBorder(cells: CellsView, row: number): boolean {
  return Boolean(cells.columns.at_border?.[row]);
}

/** The row of a label; none for the background. */
export function rowOf(cells: CellsView, rows: number[], label: number): number | undefined {
  return label ? rows.find((row) => cells.columns.label![row] === label) : undefined;
}

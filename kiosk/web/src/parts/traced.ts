/** Whether this Monolayer keeps traces, and so can tell where time went. */
import type { Health } from "../api/types.ts";
import { useAsked } from "../api/use.ts";

export function useTraced(): boolean {
  return useAsked<Health>("/health").found?.traces ?? false;
}

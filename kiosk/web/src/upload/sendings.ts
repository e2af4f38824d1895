/** The submissions of this tab: they go on while somebody looks at other pages. */
import { useSyncExternalStore } from "react";
import type { Parcel } from "./parcels.ts";
import { abandon, send, type Wish } from "./sending.ts";

export interface Shipment {
  id: number;
  parcel: Parcel;
  wish: Wish;
  sent: number;
  begun: number;
  waiting: string;
  job?: string;
  again?: boolean;
  error?: string;
  stop: AbortController;
}

export class Sendings {
  private shipments: Shipment[] = [];
  private readonly listeners = new Set<() => void>();
  private line: Promise<unknown> = Promise.resolve();
  private next = 1;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly all = (): Shipment[] => this.shipments;

  /** Send parcels, one after the other; returns the last job when all have arrived. */
  async start(parcels: Parcel[], wish: Wish): Promise<string | undefined> {
    const fresh = parcels.map((parcel) => this.add(parcel, wish));
    await (this.line = Promise.all([this.line, this.inTurn(fresh)]));
    return this.shipments.find((each) => each.id === fresh.at(-1)?.id)?.job;
  }

  /** Send once more what failed; the parts that have arrived are skipped. */
  retry(shipment: Shipment): void {
    this.drop(shipment.id);
    void this.start([shipment.parcel], shipment.wish);
  }

  cancel(shipment: Shipment): void {
    shipment.stop.abort();
    this.drop(shipment.id);
    void abandon(shipment.parcel, shipment.wish).catch(() => undefined);
  }

  drop(id: number): void {
    this.shipments = this.shipments.filter((each) => each.id !== id);
    this.tell();
  }

  private add(parcel: Parcel, wish: Wish): Shipment {
    const stop = new AbortController();
    const shipment = { id: this.next++, parcel, wish, sent: 0, begun: 0, waiting: "", stop };
    this.shipments = [...this.shipments, shipment];
    this.tell();
    return shipment;
  }

  private async inTurn(fresh: Shipment[]): Promise<void> {
    for (const { id, parcel, wish, stop } of fresh) {
      if (stop.signal.aborted) continue;
      this.change(id, { begun: Date.now() });
      const heard = {
        sent: (sent: number) => this.change(id, { sent }),
        waiting: (waiting: string) => this.change(id, { waiting }),
      };
      try {
        const { job, again } = await send(parcel, wish, heard, stop.signal);
        this.change(id, { job, again: again ?? false, sent: parcel.size });
      } catch (error) {
        this.change(id, { error: explained(error, parcel) });
      }
    }
  }

  private change(id: number, what: Partial<Shipment>): void {
    this.shipments = this.shipments.map((each) => (each.id === id ? { ...each, ...what } : each));
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export function useShipments(sendings: Sendings): Shipment[] {
  return useSyncExternalStore(sendings.subscribe, sendings.all);
}

function explained(error: unknown, parcel: Parcel): string {
  if (error instanceof DOMException && error.name === "NotReadableError")
    return `A file in ${parcel.name} can't be read any more, or has changed; choose it again.`;
  return error instanceof Error ? error.message : String(error);
}

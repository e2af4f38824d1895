/** Uploads of this tab, with how far they are. */
import { href } from "../route.ts";
import { useShipments, type Sendings, type Shipment } from "../upload/sendings.ts";
import { size, span } from "../words.ts";
import { Bar } from "./bits.tsx";

export function Shipments({ sendings }: { sendings: Sendings }) {
  const shipments = useShipments(sendings);
  if (!shipments.length) return null;
  return (
    <section aria-label="Uploads">
      <h2>Uploads</h2>
      <ul className="plain">
        {shipments.map((each) => (
          <li key={each.id} className="card row">
            <One shipment={each} sendings={sendings} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function One({ shipment, sendings }: { shipment: Shipment; sendings: Sendings }) {
  const { parcel, job, error } = shipment;
  return (
    <>
      <div className="grow">
        <strong>{parcel.name}</strong> <span className="quiet">{told(shipment)}</span>
        {!job && !error && <Bar value={parcel.size ? shipment.sent / parcel.size : 0} label={`Upload of ${parcel.name}`} />}
        {error && <p className="failed" role="alert">{error}</p>}
      </div>
      {job && <a href={href("jobs", job)}>Open the job</a>}
      {error && <button onClick={() => sendings.retry(shipment)}>Try again</button>}
      {!job && <button onClick={() => sendings.cancel(shipment)}>{error ? "Give up" : "Cancel"}</button>}
    </>
  );
}

function told({ parcel, sent, begun, waiting, job, again, error }: Shipment): string {
  if (again) return "was here before";
  if (job) return `${size(parcel.size)}, arrived`;
  if (error) return `${size(sent)} of ${size(parcel.size)} arrived`;
  if (waiting) return `${waiting} Trying again.`;
  if (!begun) return `${size(parcel.size)}, waits for its turn`;
  const left = sent ? ((parcel.size - sent) * (Date.now() - begun)) / sent / 1000 : undefined;
  return `${size(sent)} of ${size(parcel.size)}${left && left > 2 ? `, ${span(left)} left` : ""}`;
}

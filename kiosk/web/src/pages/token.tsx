/** Where a token is asked for; `monolayer tokens create` makes one. */
import { authorized, keep } from "../api/token.ts";

export function TokenPage({ onKept }: { onKept: () => void }) {
  const refused = "Authorization" in authorized();
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        keep(String(new FormData(event.currentTarget).get("token")).trim()); // also where no key was pressed for it
        onKept();
      }}
    >
      <h1>This Monolayer asks for a token</h1>
      {refused && (
        <p className="failed" role="alert">
          The token is not one of this Monolayer, or it has expired or was revoked.
        </p>
      )}
      <p className="quiet">Whoever runs it makes one with: monolayer tokens create. It is kept until the browser is closed.</p>
      <p className="actions">
        <label>
          Token
          <input type="password" name="token" autoComplete="current-password" required />
        </label>
        <button className="main">Go on</button>
      </p>
    </form>
  );
}

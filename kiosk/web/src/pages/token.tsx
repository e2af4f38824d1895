/** Where a token is asked for; `monolayer tokens create` makes one. */
import { useState } from "react";
import { keep } from "../api/token.ts";

export function TokenPage({ onKept }: { onKept: () => void }) {
  const [token, setToken] = useState("");
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        keep(token.trim());
        onKept();
      }}
    >
      <h1>This Monolayer asks for a token</h1>
      <p className="quiet">Whoever runs it makes one with: monolayer tokens create. It is kept until the browser is closed.</p>
      <p className="actions">
        <label>
          Token
          <input type="password" autoComplete="current-password" required value={token} onChange={(event) => setToken(event.target.value)} />
        </label>
        <button className="main">Go on</button>
      </p>
    </form>
  );
}

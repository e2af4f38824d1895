/** The token that some Monolayers ask for, in a cookie: pictures, downloads and events bring it along by themselves. */

const COOKIE = "monolayer-token";
const WANTED = "monolayer-token-wanted";

/** What every request to the API carries; empty where there is no token. */
export function authorized(): Record<string, string> {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${COOKIE}=`));
  return found ? { Authorization: `Bearer ${decodeURIComponent(found.slice(COOKIE.length + 1))}` } : {};
}

/** Keep a token until the browser is closed; no other site makes the browser send it. */
export function keep(token: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${encodeURIComponent(token)}; Path=/; SameSite=Strict${secure}`;
}

/** The API has asked for a token, or for another. */
export function wanted(): void {
  dispatchEvent(new Event(WANTED));
}

export function onWanted(heard: () => void): () => void {
  addEventListener(WANTED, heard);
  return () => removeEventListener(WANTED, heard);
}

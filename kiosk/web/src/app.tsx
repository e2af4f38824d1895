/** The frame around every page, and which one is shown. */
import { Suspense, lazy, useEffect, useMemo, useRef, useState } from "react";
import { onWanted } from "./api/token.ts";
import { JobPage } from "./pages/job.tsx";
import { JobsPage } from "./pages/jobs.tsx";
import { ModelsPage } from "./pages/models.tsx";
import { SubmitPage } from "./pages/submit.tsx";
import { TokenPage } from "./pages/token.tsx";
import { KeptFlags, type Kept } from "./parts/flags.tsx";
import { href, useRoute } from "./route.ts";
import { Sendings, useShipments } from "./upload/sendings.ts";

const ViewerPage = lazy(() => import("./viewer/page.tsx"));
const TracePage = lazy(() => import("./pages/trace.tsx"));
const LINKS = [
  ["", "Submit"],
  ["jobs", "Jobs"],
  ["models", "Models"],
] as const;

export function App() {
  const route = useRoute();
  const sendings = useMemo(() => new Sendings(), []);
  const flags = useMemo<Kept>(() => new Map(), []);
  const [asked, setAsked] = useState(false);
  useEffect(() => onWanted(() => setAsked(true)), []);
  const under = useShipments(sendings).filter((each) => !each.job && !each.error);
  useEffect(() => {
    if (!under.length) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [under.length]);
  return (
    <>
      <a className="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <header className="top">
        <a className="brand" href={href()}>
          <span className="mark" aria-hidden="true" />
          Monolayer
        </a>
        <nav aria-label="Pages">
          {LINKS.map(([page, name]) => (
            <a key={page} href={href(...(page ? [page] : []))} aria-current={(route[0] ?? "") === page ? "page" : undefined}>
              {name}
            </a>
          ))}
          <a href="/docs/">Help</a>
          <a href="/api/v1/docs">API</a>
        </nav>
        {under.length > 0 && route.length > 0 && (
          <a className="under" href={href()}>
            Uploading {under.length}
          </a>
        )}
      </header>
      <Main key={route.join("/")}>
        <Suspense fallback={<p className="quiet">One moment.</p>}>
          <KeptFlags.Provider value={flags}>
            {asked ? <TokenPage onKept={() => setAsked(false)} /> : <Shown route={route} sendings={sendings} />}
          </KeptFlags.Provider>
        </Suspense>
      </Main>
    </>
  );
}

function Shown({ route, sendings }: { route: string[]; sendings: Sendings }) {
  const [page, job, what, image] = route;
  if (!page) return <SubmitPage sendings={sendings} />;
  if (page === "models") return <ModelsPage />;
  if (page === "jobs" && !job) return <JobsPage />;
  if (page === "jobs" && job && what === "trace") return <TracePage job={job} image={image} />;
  if (page === "jobs" && job && what === "images" && image) return <ViewerPage job={job} image={Number(image)} />;
  if (page === "jobs" && job) return <JobPage job={job} />;
  return (
    <p>
      There is no such page. <a href={href()}>Submit images</a>
    </p>
  );
}

/** A new page is told to whoever can't see it: its heading gets the focus. */
function Main({ children }: { children: React.ReactNode }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    if (document.activeElement !== document.body) main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  return (
    <main id="main" tabIndex={-1} ref={main}>
      {children}
    </main>
  );
}

function toMain(event: React.MouseEvent): void {
  event.preventDefault(); // the address behind # names the page
  document.getElementById("main")?.focus();
}

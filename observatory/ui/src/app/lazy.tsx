/** Views whose code is fetched when they are first shown. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice } from "../components/notice";

/** A component that fetches itself, says so while it does, and says when it can't. */
export function lazy<Props extends object>(fetchIt: () => Promise<ComponentType<Props>>) {
  let here: ComponentType<Props> | null = null;
  const fetched = async () => {
    here = await fetchIt();
  };

  function Lazy(props: Props) {
    const [state, setState] = useState<"waiting" | "failed" | "here">(here ? "here" : "waiting");
    useEffect(() => {
      if (state !== "waiting") return;
      let wanted = true;
      fetched().then(
        () => wanted && setState("here"),
        () => wanted && setState("failed"),
      );
      return () => {
        wanted = false;
      };
    }, [state]);
    if (state === "failed")
      return (
        <Notice title="This view didn't load" tone="bad" level={1}>
          <p>The Observatory may have been stopped, or built anew since this page was opened.</p>
          <p>
            <button type="button" onClick={() => location.reload()}>
              Load the page again
            </button>
          </p>
        </Notice>
      );
    const Here = here;
    return Here ? <Here {...props} /> : <Notice title="Loading…" tone="busy" level={1} />;
  }
  /** Fetches the code ahead of its use; a failure shows when it is used. */
  Lazy.ahead = () => void fetched().catch(() => undefined);
  return Lazy;
}

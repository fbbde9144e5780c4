/** Views whose code is loaded when they are first shown. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice } from "../components/notice";

/**
 * Return a component that loads its code on first use, with a loading and an error state.
 *
 * @param load imports the component.
 */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  let Loaded: ComponentType<Props> | null = null;
  const loadOnce = async () => {
    Loaded = await load();
  };

  function Lazy(props: Props) {
    const [state, setState] = useState<"loading" | "failed" | "loaded">(
      Loaded ? "loaded" : "loading",
    );
    useEffect(() => {
      if (state !== "loading") return;
      let mounted = true;
      loadOnce().then(
        () => mounted && setState("loaded"),
        () => mounted && setState("failed"),
      );
      return () => {
        mounted = false;
      };
    }, [state]);
    if (state === "failed")
      return (
        <Notice title="This view could not be loaded" tone="bad" level={1}>
          <p>
            The Observatory may have stopped, or may have been updated since this page was opened.
          </p>
          <p>
            <button type="button" onClick={() => location.reload()}>
              Reload the page
            </button>
          </p>
        </Notice>
      );
    return Loaded ? <Loaded {...props} /> : <Notice title="Loading…" tone="busy" level={1} />;
  }
  /** Load the code before it is needed; an error is shown when the view is opened. */
  Lazy.preload = () => void loadOnce().catch(() => undefined);
  return Lazy;
}

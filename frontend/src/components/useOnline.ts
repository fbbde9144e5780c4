import { useLayoutEffect, useState } from "preact/hooks";

/** Whether the browser has a network; it says "no" reliably, and "yes" only as a guess. */
export function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useLayoutEffect(() => {
    const update = () => setOnline(navigator.onLine);
    window.addEventListener("online", update);
    window.addEventListener("offline", update);
    return () => {
      window.removeEventListener("online", update);
      window.removeEventListener("offline", update);
    };
  }, []);
  return online;
}

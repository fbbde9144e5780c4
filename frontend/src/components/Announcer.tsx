import { useEffect, useState } from "preact/hooks";

let say: (message: string) => void = () => {};

/** Lets a screen reader read `message` after its current output. */
export function announce(message: string): void {
  say(message);
}

/** The page's one live region. It must be in the document before the first announcement. */
export function Announcer() {
  const [message, setMessage] = useState("");
  useEffect(() => {
    say = setMessage;
    return () => {
      say = () => {};
    };
  }, []);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {message}
    </div>
  );
}

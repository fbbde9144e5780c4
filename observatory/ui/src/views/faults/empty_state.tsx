/** Where there is nothing to turn. */
import { Notice } from "../../components/notice";

/** The Observatory runs by itself: it was told of no app's faults. */
export function NotConnected() {
  return (
    <Notice title="This Observatory knows of no faults">
      <p>
        It was started by itself. Started with everything else, it has the switches of them all:
      </p>
      <pre>
        <code>./scripts/dev</code>
      </pre>
      <p>An app of your own can have a switchboard too:</p>
      <pre>
        <code>python -m observatory --faults FILE.json --flags URL --app URL</code>
      </pre>
    </Notice>
  );
}

/** The app's catalogue is empty. */
export function NoFaults() {
  return (
    <Notice title="The app has no faults">
      <p>Its catalogue was read, and lists none.</p>
    </Notice>
  );
}

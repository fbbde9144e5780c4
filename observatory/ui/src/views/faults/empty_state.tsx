/** The empty states of the Faults view. */
import { Notice } from "../../components/notice";

/** The Observatory was started without an app's catalogue of faults. */
export function NotConnected() {
  return (
    <Notice title="No app with faults is connected">
      <p>
        The Observatory was started on its own. To start it together with the app and its faults,
        run:
      </p>
      <pre>
        <code>./scripts/dev</code>
      </pre>
      <p>To connect the faults of your own app, run:</p>
      <pre>
        <code>python -m observatory --faults FILE.json --flags URL --app URL</code>
      </pre>
    </Notice>
  );
}

/** The app's catalogue of faults is empty. */
export function NoFaults() {
  return (
    <Notice title="The app has no faults">
      <p>The app's catalogue was read, but lists no faults.</p>
    </Notice>
  );
}

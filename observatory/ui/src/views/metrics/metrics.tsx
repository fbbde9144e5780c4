/** The Metrics view: a list of metrics, and one of them as a chart. */
import "./metrics.css";
import { fetchMetrics } from "../../api/requests";
import type { Metric } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { ExporterSetting, Notice } from "../../components/notice";
import { count } from "../../format";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { followLink } from "../../navigation/route";
import { address } from "../../navigation/selection";
import { MetricPanel } from "./metric_panel";
import { unitText } from "./units";

const PAUSE_MS = 5_000;

export function MetricsView({ query }: { query: URLSearchParams }) {
  const live = usePolling("metrics", fetchMetrics, () => PAUSE_MS);
  useTitle("Metrics");
  const { answer } = live;
  const metrics = answer?.metrics ?? [];
  return (
    <>
      <div class="metrics-head">
        <h1>Metrics</h1>
        <p class="sub">{metrics.length > 0 && `${count(metrics.length, "metric")} received.`}</p>
      </div>
      <ErrorState request={live} loading="Loading metrics…" />
      {answer !== null && metrics.length === 0 && <NoMetrics />}
      {metrics.length > 0 && <Loaded metrics={metrics} query={query} />}
    </>
  );
}

function Loaded({ metrics, query }: { metrics: Metric[]; query: URLSearchParams }) {
  const requested = metrics.find(
    (metric) => metric.name === query.get("name") && metric.service === query.get("service"),
  );
  const shown = requested ?? metrics[0];
  const services = [...new Set(metrics.map((metric) => metric.service))].sort();
  const addressOf = (metric: Metric) => {
    const changed = new URLSearchParams(query);
    changed.set("name", metric.name);
    changed.set("service", metric.service);
    return address("/metrics", changed);
  };
  return (
    <div class="metrics-body">
      <nav class="metrics-list panel" aria-label="Metrics">
        {services.map((service) => (
          <section key={service}>
            <h2>{service}</h2>
            <ul>
              {metrics
                .filter((metric) => metric.service === service)
                .map((metric) => (
                  <li key={metric.name}>
                    <a
                      href={addressOf(metric)}
                      onClick={followLink}
                      aria-current={metric === shown ? "true" : undefined}
                    >
                      <span class="label">{metric.name}</span>
                      <span class="sub">
                        {[metric.type.replaceAll("_", " "), unitText(metric.unit)]
                          .filter(Boolean)
                          .join(" · ")}
                      </span>
                    </a>
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </nav>
      {shown && (
        <MetricPanel
          key={`${shown.service} ${shown.name}`}
          metric={shown}
          query={query}
          pathAs={(form) => {
            const changed = new URLSearchParams(query);
            if (form === "table") changed.set("as", "table");
            else changed.delete("as");
            return address("/metrics", changed);
          }}
        />
      )}
    </div>
  );
}

function NoMetrics() {
  return (
    <Notice title="No metrics yet">
      <p class="how-to-send">
        Metrics appear here as soon as an app sends them over OTLP to <code>/v1/metrics</code>.
        Start your app with:
      </p>
      <ExporterSetting />
      <p>
        If its SDK uses gRPC by default, add <code>OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf</code>.
      </p>
    </Notice>
  );
}

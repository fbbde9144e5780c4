/** A tracer whose ended spans can be read back: the real SDK, with an exporter that keeps them. */
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

export function recorded() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return {
    tracer: provider.getTracer("test"),
    spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
    named(name: string): ReadableSpan {
      const ended = exporter.getFinishedSpans().find((span) => span.name === name);
      if (!ended) throw new Error(`No span "${name}" has ended.`);
      return ended;
    },
  };
}

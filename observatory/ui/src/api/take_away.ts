/** Telemetry as files, as `GET /api/export` and `POST /api/import` say. */
import { ApiFailure, refusal } from "./ask";

export interface Imported {
  spans: number;
  logs: number;
  /** Data points. */
  metrics: number;
  rejected: number;
  reason: string;
  /** At most the first twenty. */
  trace_ids: string[];
}

/** Where the traces of a selection can be fetched as OTLP/JSON. */
export function exportPath(selection: URLSearchParams): string {
  const query = selection.toString();
  return query === "" ? "/api/export" : `/api/export?${query}`;
}

const FILE_LIMIT_BYTES = 16 * 2 ** 20;

/**
 * Stores what a file holds. Throws an `ApiFailure` where it can't be read.
 *
 * @param onSent is told which share of the file is sent, 0 to 1.
 */
export function importFile(
  file: File,
  onSent: (share: number) => void,
  signal: AbortSignal,
): Promise<Imported> {
  return new Promise((resolve, reject) => {
    // The Observatory would refuse it before all is sent, which a browser takes for a broken line.
    if (file.size > FILE_LIMIT_BYTES)
      throw new ApiFailure(
        "refused",
        `It is larger than 16 MiB: ./scripts/trace import ${file.name} sends it in pieces.`,
        "too_large",
      );
    // fetch tells nothing of how far it has come.
    const request = new XMLHttpRequest();
    request.open("POST", "/api/import");
    request.setRequestHeader("content-type", "application/json");
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 200) resolve(body as Imported);
      else reject(refusal(body, `The Observatory answered ${request.status}.`));
    };
    request.onerror = () =>
      reject(
        new ApiFailure("unreachable", `The Observatory at ${location.origin} doesn't answer.`),
      );
    request.onabort = () => reject(new DOMException("The import was cancelled.", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Uploading a file of telemetry, with progress. */
import { ApiFailure, failureIn, unreachable } from "./client";
import type { ImportResult } from "./types";

const FILE_LIMIT_BYTES = 16 * 2 ** 20;

/**
 * Upload an OTLP/JSON or Jaeger JSON file. Throws an `ApiFailure` if it can't be imported.
 *
 * @param onProgress receives the share of the file that has been sent, from 0 to 1.
 */
export function importFile(
  file: File,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<ImportResult> {
  return new Promise((resolve, reject) => {
    // The server refuses a larger file before all of it is sent, which browsers report as a broken
    // connection rather than as the server's answer.
    if (file.size > FILE_LIMIT_BYTES)
      throw new ApiFailure(
        "refused",
        `The file is larger than 16 MiB. Import it in pieces: ./scripts/trace import ${file.name}`,
        "too_large",
      );
    // fetch reports no upload progress.
    const request = new XMLHttpRequest();
    request.open("POST", "/api/import");
    request.setRequestHeader("content-type", "application/json");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 200) resolve(body as ImportResult);
      else reject(failureIn(body, request.status));
    };
    request.onerror = () => reject(unreachable());
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

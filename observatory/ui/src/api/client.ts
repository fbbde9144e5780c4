/** Typed requests to the Observatory's JSON API. */
import type { paths } from "./schema";

type Method = "get" | "post" | "put";
type Json = "application/json";

/** The paths whose response to a method is JSON. */
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends {
    [K in M]: { responses: { 200: { content: { [J in Json]: unknown } } } };
  }
    ? P
    : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

/** The type of an operation's JSON response. */
export type ResponseOf<P extends keyof paths, M extends Method = "get"> =
  Operation<P, M> extends { responses: { 200: { content: { [J in Json]: infer Body } } } }
    ? Body
    : never;

type BodyOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody: { content: { [J in Json]: infer Body } } }
    ? Body
    : undefined;

type QueryOf<P extends keyof paths> =
  Operation<P, "get"> extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never;

type ParametersIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParametersIn<Rest>
  : never;

/** Values for the `{placeholders}` of a path. */
type PathParameters<Path extends string> = { [Name in ParametersIn<Path>]: string };

/** A failed request: the server is unreachable, has no such trace, or refused the request. */
export class ApiFailure extends Error {
  readonly kind: "unreachable" | "not-found" | "refused";
  /** The API's error code, such as `bad_filter`; empty when the server could not be reached. */
  readonly code: string;
  /** Offset of the error in the text that was sent, from 0; null if there is none. */
  readonly position: number | null;

  constructor(
    kind: ApiFailure["kind"],
    message: string,
    code = "",
    position: number | null = null,
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.position = position;
  }
}

/**
 * Send a GET request and return its JSON.
 *
 * @param path a path of the OpenAPI document, with its `{placeholders}`.
 * @param options.parameters values for the placeholders.
 * @param options.selection query parameters of a selection, sent unchanged.
 * @param options.query further query parameters; empty and undefined ones are left out.
 * @throws ApiFailure if the request fails.
 */
export function get<P extends PathOf<"get">>(
  path: P,
  signal: AbortSignal,
  options: {
    parameters?: PathParameters<P>;
    selection?: URLSearchParams;
    query?: { [Name in keyof QueryOf<P>]: QueryOf<P>[Name] | undefined };
  } = {},
): Promise<ResponseOf<P>> {
  const query = new URLSearchParams(options.selection);
  for (const [name, value] of Object.entries(options.query ?? {}))
    if (value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  const address = expand(path, options.parameters ?? {});
  return request(text === "" ? address : `${address}?${text}`, { signal });
}

/**
 * Send a JSON body and return the response's JSON.
 *
 * @throws ApiFailure if the request fails.
 */
export function send<M extends "post" | "put", P extends PathOf<M>>(
  method: M,
  path: P,
  body: BodyOf<P, M>,
  options: { parameters?: PathParameters<P>; signal?: AbortSignal } = {},
): Promise<ResponseOf<P, M>> {
  return request(expand(path, options.parameters ?? {}), {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: options.signal ?? null,
  });
}

function expand(path: string, parameters: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(parameters[name] ?? ""),
  );
}

async function request<Body>(address: string, init: RequestInit): Promise<Body> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(address, init);
    body = await response.json();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return body as Body;
  throw failureIn(body, response.status);
}

/** Return the failure to report when the server can't be reached. */
export function unreachable(): ApiFailure {
  return new ApiFailure("unreachable", `The Observatory at ${location.origin} doesn't answer.`);
}

/** Return the failure that an error response describes; without a description, by its status. */
export function failureIn(body: unknown, status: number): ApiFailure {
  const { code, message, position } = (body as { error?: ErrorBody } | null)?.error ?? {};
  return new ApiFailure(
    code === "trace_not_found" ? "not-found" : "refused",
    message ?? `The Observatory answered with status ${status}.`,
    code,
    position ?? null,
  );
}

type ErrorBody = Partial<
  paths["/api/traces"]["get"]["responses"][400]["content"]["application/json"]["error"]
>;

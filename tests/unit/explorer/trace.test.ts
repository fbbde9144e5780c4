/** The logic of the trace view, without rendering. */
import { describe, expect, test } from "vitest";
import type { Repeat, Row, TraceLine, Unusual } from "../../../observatory/ui/src/api/types";
import { visibleRows } from "../../../observatory/ui/src/scrolling/window_rows";
import { filterPath } from "../../../observatory/ui/src/views/trace/attributes";
import { candidatesIn } from "../../../observatory/ui/src/views/trace/compare_candidates";
import { matchesIn, needleOf, splitByMatches } from "../../../observatory/ui/src/views/trace/find";
import { commandFor } from "../../../observatory/ui/src/views/trace/keyboard";
import { editorAddress } from "../../../observatory/ui/src/views/trace/source_link";
import {
  barPosition,
  rangeFrom,
  rangeText,
  ticksOf,
  tickText,
  within,
  zoomed,
} from "../../../observatory/ui/src/views/trace/time_scale";
import { addressOf, viewStateFrom } from "../../../observatory/ui/src/views/trace/view_state";
import {
  ancestors,
  foldable,
  gapsOf,
  itemsOf,
  linesOf,
  repeatHiding,
  repeatText,
  unusualText,
} from "../../../observatory/ui/src/views/trace/waterfall_items";

function span(span_id: string, leg: number, indent: number, more: Partial<Row> = {}): Row {
  return {
    span_id,
    parent_span_id: null,
    leg,
    indent,
    depth: indent,
    name: span_id,
    label: span_id,
    kind: "INTERNAL",
    service: "page",
    party: "page",
    hop: null,
    carrier: null,
    context: null,
    root: null,
    offset_ms: 0,
    duration_ms: 1,
    wait: null,
    error: false,
    status_code: "UNSET",
    status_message: "",
    orphan: false,
    covered: true,
    scope: "",
    source: null,
    attributes: {},
    resource: {},
    events: [],
    links: [],
    logs: [],
    ...more,
  };
}

const DEFAULTS = {
  folded: new Set<string>(),
  opened: new Set<string>(),
  lines: false,
  expanded: new Set<string>(),
};
const log = (body: string, offset_ms = 0, severity_number = 9) => ({
  span_id: null,
  offset_ms,
  severity_number,
  severity_text: "",
  event_name: "",
  body,
  service: "page",
  attributes: {},
});

describe("the waterfall's items", () => {
  const rows = [
    span("buy", 0, 0),
    span("create", 0, 1, { logs: [log("written")] }),
    span("commit", 0, 2, { error: true, offset_ms: 5, duration_ms: 4 }),
    span("reserve", 1, 0, { parent_span_id: "create" }),
  ];
  const ids = (shown: Partial<typeof DEFAULTS>) =>
    itemsOf(rows, [], { ...DEFAULTS, ...shown }).map((item) => item.id);

  test("lists every span by leg", () => {
    expect(ids({})).toEqual(["buy", "create", "commit", "reserve"]);
  });

  test("hides and counts the descendants of a collapsed row", () => {
    expect(ids({ folded: new Set(["buy"]) })).toEqual(["buy", "reserve"]);
    expect(ids({ folded: new Set(["create"]) })).toEqual(["buy", "create", "reserve"]);
    const [buy] = itemsOf(rows, [], { ...DEFAULTS, folded: new Set(["buy"]) });
    expect(buy).toMatchObject({ folded: true, hidden: { spans: 2, errors: 1, to: 9 } });
  });

  test("lists lines below opened spans", () => {
    expect(ids({ lines: true })).toEqual(["buy", "create", "create:0", "commit", "reserve"]);
    expect(ids({ opened: new Set(["create"]) })).toContain("create:0");
  });

  test("lists a missing hop after the leg of the step before it", () => {
    const { hop, service, name } = rows[1] as Row;
    const after = { hop, service, name };
    const gap = { hop: "trigger", service: "audit", name: "audit", usual_share: 0.98, after };
    const names = (folded: Set<string>) =>
      itemsOf(rows, [gap], { ...DEFAULTS, folded }).map((item) => item.id);
    expect(names(new Set())).toEqual(["buy", "create", "commit", "gap:0", "reserve"]);
    expect(names(new Set(["buy"]))).toEqual(["buy", "gap:0", "reserve"]);
  });

  test("lists a missing hop without a step before it at the end", () => {
    const gap = { hop: "eventarc", service: "audit", name: "audit", usual_share: 0.98 };
    expect(itemsOf(rows, [gap], DEFAULTS).at(-1)).toMatchObject({ kind: "gap", id: "gap:0", gap });
  });

  test("returns the rows that can be collapsed, and the ancestors of a span", () => {
    expect(foldable(rows)).toEqual(["buy"]);
    expect(ancestors(rows, "commit")).toEqual(["create", "buy"]);
    expect(ancestors(rows, "absent")).toEqual([]);
  });

  test("sorts a span's log lines and events by time", () => {
    const exception = {
      name: "exception",
      offset_ms: 3,
      attributes: { "exception.type": "ValueError", "exception.message": "no seat" },
    };
    const row = span("a", 0, 0, {
      logs: [log("late", 9, 17), log("early", 1)],
      events: [exception],
    });
    expect(linesOf(row).map(({ text, tone }) => [text, tone])).toEqual([
      ["early", "plain"],
      ["ValueError: no seat", "bad"],
      ["late", "bad"],
    ]);
  });
});

describe("unusual steps", () => {
  const unusual: Unusual = {
    compared_with: 40,
    same_state: true,
    weak_baseline: false,
    missing: [
      { hop: null, service: "audit", name: "Commit", usual_share: 1, after: null, follows: false },
      {
        hop: "eventarc",
        service: "audit",
        name: "audit",
        usual_share: 1,
        after: null,
        follows: false,
      },
      { hop: "pubsub", service: "mail", name: "mail", usual_share: 1, after: null, follows: true },
    ],
    repeated: [{ hop: "pubsub", service: "charge", name: "charge", times: 2, usual_times: 1 }],
    added: [{ hop: null, service: "page", name: "retry", usual_share: 0.02 }],
  };

  test("include a row for a missing hop, but not for what would have followed from it", () => {
    expect(gapsOf(unusual).map((gap) => gap.name)).toEqual(["audit"]);
    expect(gapsOf(null)).toEqual([]);
  });

  test("are described on the span", () => {
    const charge = { hop: "pubsub", service: "charge", name: "charge" };
    expect(unusualText(charge, unusual)).toBe("2×, usually 1");
    expect(unusualText({ hop: null, service: "page", name: "retry" }, unusual)).toBe("unusual");
    expect(unusualText({ ...charge, hop: "task" }, unusual)).toBeNull();
  });
});

describe("search in a trace", () => {
  const rows = [
    span("charge", 0, 0, { attributes: { "http.route": "/Charges", seats: 2 } }),
    span("settle", 0, 1, { logs: [log("the signature FITS")] }),
  ];
  const spansMatching = (text: string) => matchesIn(rows, text).map((match) => match.spanId);

  test("finds names, attributes and log lines in any case", () => {
    expect(spansMatching("SETTLE")).toEqual(["settle"]);
    expect(spansMatching("/charges")).toEqual(["charge"]);
    expect(spansMatching("signature fits")).toEqual(["settle"]);
    expect(spansMatching(" ")).toEqual([]);
    expect(spansMatching("absent text")).toEqual([]);
  });

  test("finds an attribute in filter syntax", () => {
    expect(needleOf('http.route = "/charges"')).toBe("http.route=/charges");
    expect(spansMatching('http.route = "/charges"')).toEqual(["charge"]);
    expect(spansMatching("seats = 2")).toEqual(["charge"]);
  });

  test("says in which field the match is", () => {
    expect(matchesIn(rows, "fits")[0]).toMatchObject({ where: "log" });
    expect(matchesIn(rows, "seats")[0]).toMatchObject({ label: "seats" });
  });

  test("splits a text at matches without changing it", () => {
    expect(splitByMatches("Commit, commit", "commit")).toEqual(["", "Commit", ", ", "commit", ""]);
    expect(splitByMatches("İstanbul", "stan").join("")).toBe("İstanbul");
    expect(splitByMatches("as it is", "")).toEqual(["as it is"]);
  });
});

describe("repeats", () => {
  const rows = [
    span("buy", 0, 0),
    span("charge", 1, 0),
    span("get", 1, 1),
    span("charge2", 2, 0, { error: true }),
    span("get2", 2, 1),
    span("issue", 3, 0),
    span("charge3", 4, 0),
    span("get3", 4, 1),
  ];
  const repeat: Repeat = {
    first: "charge",
    repeats: ["charge2", "charge3"],
    spans: 4,
    errors: 1,
    from_ms: 5,
    to_ms: 90,
    shortest_ms: 3,
    longest_ms: 40,
  };
  const list = (...expanded: string[]) =>
    itemsOf(rows, [], { ...DEFAULTS, expanded: new Set(expanded) }, [repeat]);
  const ids = (...expanded: string[]) => list(...expanded).map((item) => item.id);

  test("are one row below the step that they repeat", () => {
    expect(ids()).toEqual(["buy", "charge", "get", "repeats:charge", "issue"]);
    expect(repeatText(repeat)).toBe("2 more like this, 3 ms to 40 ms each");
  });

  test("are listed below that row when it is expanded", () => {
    const after = ["charge2", "get2", "charge3", "get3", "issue"];
    expect(ids("charge")).toEqual(["buy", "charge", "get", "repeats:charge", ...after]);
  });

  test("are found when a link names a span in one of them", () => {
    expect(repeatHiding(rows, [repeat], "get3")).toBe("charge");
    expect(repeatHiding(rows, [repeat], "get")).toBeNull();
  });

  test("expand and collapse by keyboard", () => {
    const expand = { do: "expand-repeats", spanId: "charge" };
    const collapse = { do: "collapse-repeats", spanId: "charge" };
    expect(commandFor("Enter", list(), 3)).toEqual(expand);
    expect(commandFor("ArrowRight", list(), 3)).toEqual(expand);
    expect(commandFor("ArrowRight", list("charge"), 3)).toEqual({ do: "select", id: "charge2" });
    expect(commandFor("ArrowLeft", list("charge"), 3)).toEqual(collapse);
    expect(commandFor("ArrowLeft", list(), 3)).toEqual({ do: "select", id: "charge" });
  });
});

describe("keyboard commands", () => {
  const rows = [
    span("a", 0, 0),
    span("b", 0, 1, { error: true }),
    span("c", 1, 0, { parent_span_id: "b" }),
    span("d", 1, 1, { error: true }),
  ];
  const items = itemsOf(rows, [], DEFAULTS);
  const act = (key: string, at: number, of = items) => commandFor(key, of, at);

  test("move between rows and stop at the ends", () => {
    expect(act("ArrowDown", -1)).toEqual({ do: "select", id: "a" });
    expect(act("ArrowUp", 0)).toEqual({ do: "select", id: "a" });
    expect(act("End", 0)).toEqual({ do: "select", id: "d" });
    expect(act("PageDown", 0)).toEqual({ do: "select", id: "d" });
    expect(commandFor("ArrowDown", [], -1)).toBeNull();
  });

  test("collapse and expand; ArrowLeft on a collapsed leg selects its parent", () => {
    expect(act("ArrowLeft", 0)).toEqual({ do: "fold", spanId: "a" });
    expect(act("ArrowRight", 0)).toEqual({ do: "select", id: "b" });
    const folded = itemsOf(rows, [], { ...DEFAULTS, folded: new Set(["c"]) });
    expect(act("ArrowRight", 2, folded)).toEqual({ do: "unfold", spanId: "c" });
    expect(act("ArrowLeft", 2, folded)).toEqual({ do: "select", id: "b" });
  });

  test("cycle through errors, including hidden ones", () => {
    expect(act("]", -1)).toEqual({ do: "select", id: "b" });
    expect(act("]", 3)).toEqual({ do: "select", id: "b" });
    expect(act("[", -1)).toEqual({ do: "select", id: "d" });
    const folded = itemsOf(rows, [], { ...DEFAULTS, folded: new Set(["c"]) });
    expect(act("]", 1, folded)).toEqual({ do: "select", id: "c" });
    expect(commandFor("]", itemsOf([span("a", 0, 0)], [], DEFAULTS), 0)).toBeNull();
  });

  test("leave other keys to the browser", () => {
    expect(act("Tab", 0)).toBeNull();
    expect(act("x", 0)).toBeNull();
  });
});

describe("the time scale", () => {
  const range = { from: 100, to: 200 };

  test("positions bars in per cent, clipped at the edges", () => {
    expect(barPosition(range, 120, 150)).toEqual([20, 30]);
    expect(barPosition(range, 0, 150)).toEqual([0, 50]);
    expect(barPosition(range, 150, 900)).toEqual([50, 50]);
    expect(barPosition(range, 0, 50)).toBeNull();
    expect(barPosition({ from: 0, to: 0 }, 0, 0)).toEqual([0, 0]);
  });

  test("has a limited number of round ticks", () => {
    expect(ticksOf({ from: 0, to: 2330 }, 6).map(tickText)).toEqual([
      "0",
      "500 ms",
      "1 s",
      "1.5 s",
      "2 s",
    ]);
    expect(ticksOf({ from: 0.0001, to: 0.0002 }, 6).length).toBeLessThanOrEqual(7);
    expect(ticksOf({ from: 3, to: 3 }, 6)).toEqual([3]);
    expect(tickText(60_000)).toBe("1 min");
  });

  test("zooms around a time and stays within the trace", () => {
    expect(zoomed({ from: 0, to: 100 }, 100, 0.5, 50)).toEqual({ from: 25, to: 75 });
    expect(zoomed({ from: 25, to: 75 }, 100, 2, 50)).toBeNull();
    expect(within({ from: -10, to: 10 }, 100)).toEqual({ from: 0, to: 20 });
    expect(within({ from: 95, to: 105 }, 100)).toEqual({ from: 90, to: 100 });
  });

  test("can be written to the address", () => {
    expect(rangeFrom(rangeText({ from: 1.5, to: 900 }))).toEqual({ from: 1.5, to: 900 });
    for (const wrong of [null, "", "9-1", "a-b", "1-", "-1-5"]) expect(rangeFrom(wrong)).toBeNull();
  });
});

test("the address holds the state of the trace view", () => {
  const viewState = {
    span: "ab:1",
    find: "a & b",
    range: { from: 1, to: 2 },
    correctSkew: true,
    lines: true,
    opened: ["00000000000000ab"],
    collapsed: ["00000000000000cd", "00000000000000ef"],
    repeats: ["00000000000000aa"],
  };
  const address = new URL(addressOf("cd34", viewState), "http://127.0.0.1");
  expect(address.pathname).toBe("/traces/cd34");
  expect(viewStateFrom(address.searchParams)).toEqual(viewState);
  expect(addressOf("cd34", viewStateFrom(new URLSearchParams()))).toBe("/traces/cd34");
  const all = viewStateFrom(new URLSearchParams("collapsed=all"));
  expect(addressOf("cd34", all)).toBe("/traces/cd34?collapsed=all");
  expect(viewStateFrom(new URLSearchParams("collapsed=no-span.&opened=1")).collapsed).toEqual([]);
});

describe("source lines", () => {
  const editor = { source_root: "/home/me/app", editor: "vscode://file/{path}:{line}" };
  const at = (file: string, line: number | null = 7) =>
    editorAddress(editor, { file, line, function: null });

  test("open in the editor", () => {
    expect(at("functions/main.py")).toBe("vscode://file/home/me/app/functions/main.py:7");
    expect(at("/srv/a b.py", null)).toBe("vscode://file/srv/a%20b.py:1");
  });

  test("have no link if the path leaves the project or the address is unsafe", () => {
    expect(at("../../etc/passwd")).toBeNull();
    expect(at('x"><b>?#', -5)).toBe("vscode://file/home/me/app/x%22%3E%3Cb%3E%3F%23:1");
    const script = { ...editor, editor: "javascript:alert({line})//{path}" };
    expect(editorAddress(script, { file: "a", line: 1, function: null })).toBeNull();
    expect(editorAddress({}, { file: "a", line: 1, function: null })).toBeNull();
  });
});

test("an attribute links to the traces that share it", () => {
  const filter = (key: string, value: string | number) =>
    new URL(filterPath(key, value), "http://127.0.0.1").searchParams.get("q");
  expect(filter("show.id", "night-ferry")).toBe('show.id = "night-ferry"');
  expect(filter("seats", 2)).toBe("seats = 2");
  expect(filter("note", 'say "a\\b"')).toBe('note = "say \\"a\\\\b\\""');
});

test("the typical trace has the median duration and no errors", () => {
  const line = (trace_id: string, duration_ms: number, more: Partial<TraceLine> = {}) =>
    ({
      trace_id,
      duration_ms,
      root: "buy",
      order_state: "ticketed",
      errors: 0,
      orphans: 0,
      ...more,
    }) as TraceLine;
  const lines = [
    line("slow", 900),
    line("failed", 300, { errors: 1 }),
    line("median", 200),
    line("fast", 100),
    line("self", 150),
    line("declined", 20, { order_state: "declined" }),
    line("other", 1, { root: "sweep" }),
  ];
  const self = { trace_id: "self", root: "buy", order_state: "ticketed" };
  const candidates = candidatesIn(lines, self);
  expect([
    candidates.typical?.trace_id,
    candidates.fastest?.trace_id,
    candidates.slowest?.trace_id,
  ]).toEqual(["median", "fast", "slow"]);
  expect(candidatesIn([], self)).toMatchObject({ typical: null });
});

test("only visible rows are rendered, unless there are few", () => {
  expect(visibleRows(0, 900, 28, 100)).toEqual({ first: 0, end: 100 });
  const { first, end } = visibleRows(-28_000, 900, 28, 5000);
  expect(first).toBeGreaterThan(900);
  expect(first).toBeLessThanOrEqual(1000);
  expect(end - first).toBeLessThan(120);
  expect(visibleRows(-1e9, 900, 28, 5000).end).toBe(5000);
});

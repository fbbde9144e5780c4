/** The list of log lines, newest at the bottom, which follows new lines until the reader scrolls up. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../../format";
import { offsetOf, type Rows, rowsToRender } from "../../scrolling/element_rows";
import { useMedia, useScrollPosition } from "../../scrolling/element_scroll";
import type { LineBuffer } from "./line_buffer";
import { LogRow } from "./log_row";

const ROW_PX = 30;
const NARROW_ROW_PX = 52;
const BOTTOM_PX = 24;
const FETCH_OLDER_WITHIN_PX = 600;

interface Props {
  buffer: LineBuffer;
  /** Whether new lines keep arriving. */
  live: boolean;
  fetchOlder: () => void;
}

export function LogList({ buffer, live, fetchOlder }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const scrolled = useScrollPosition(container);
  const rowPx = useMedia("(max-width: 700px)") ? NARROW_ROW_PX : ROW_PX;
  const [open, setOpen] = useState<ReadonlyMap<number, number>>(new Map());
  const { lines } = buffer;
  const first = lines[0]?.seq ?? 0;
  const rows: Rows = useMemo(() => {
    const extra = [...open].map(([seq, px]) => ({ index: seq - first, px }));
    extra.sort((one, other) => one.index - other.index);
    return { count: lines.length, rowPx, extra: extra.filter(({ index }) => index >= 0) };
  }, [open, first, lines.length, rowPx]);
  const rendered = rowsToRender(rows, scrolled.topPx, scrolled.heightPx);
  const { following, unseen, toBottom } = useFollowing(container, buffer, rowPx, [
    offsetOf(rows, rows.count),
    scrolled.heightPx,
  ]);

  useEffect(() => {
    if (buffer.older !== null && scrolled.topPx < FETCH_OLDER_WITHIN_PX && scrolled.heightPx > 0)
      fetchOlder();
  }, [buffer.older, scrolled, fetchOlder]);

  const toggle = useCallback(
    (seq: number) =>
      setOpen((before) => {
        const after = new Map(before);
        if (!after.delete(seq)) after.set(seq, 0);
        return after;
      }),
    [],
  );
  const measure = useCallback(
    (seq: number, px: number) =>
      setOpen((before) =>
        before.has(seq) && before.get(seq) !== px ? new Map(before).set(seq, px) : before,
      ),
    [],
  );
  return (
    <div class="log-frame panel">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard */}
      <section class="log-scroll" ref={container} aria-label="Log lines" tabIndex={0}>
        <p class="log-edge">{buffer.older === null ? "No older lines" : "Fetching older lines…"}</p>
        <ol
          onKeyDown={onArrow}
          style={{ paddingTop: `${rendered.abovePx}px`, paddingBottom: `${rendered.belowPx}px` }}
        >
          {lines.slice(rendered.first, rendered.end).map((line, index) => (
            <li
              key={line.seq}
              aria-setsize={buffer.older === null ? lines.length : -1}
              aria-posinset={rendered.first + index + 1}
            >
              <LogRow line={line} open={open.has(line.seq)} onToggle={toggle} onHeight={measure} />
            </li>
          ))}
        </ol>
      </section>
      {!following && (
        <button type="button" class="log-new" onClick={toBottom}>
          ↓ {unseen > 0 ? count(unseen, "new line") : "Go to the newest line"}
        </button>
      )}
      <p class="log-foot" role="status">
        {following
          ? live
            ? "Following"
            : "At the newest line"
          : live
            ? "Paused while you read"
            : " "}
      </p>
    </div>
  );
}

/**
 * Follow the bottom of the list until the reader scrolls up; then keep their lines in place.
 *
 * @param sizes heights that move the bottom when they change.
 * @returns `unseen` counts the lines that arrived since the reader scrolled up.
 */
function useFollowing(
  container: { current: HTMLElement | null },
  buffer: LineBuffer,
  rowPx: number,
  sizes: [linesPx: number, framePx: number],
) {
  const [following, setFollowing] = useState(true);
  const [seen, setSeen] = useState(buffer.lines.at(-1)?.seq ?? -1);
  const first = buffer.lines[0]?.seq ?? 0;
  const last = buffer.lines.at(-1)?.seq ?? -1;
  const before = useRef(first);

  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return;
    // Lines added or removed above move the visible ones; scroll by the same distance.
    if (!following) element.scrollTop += (before.current - first) * rowPx;
    before.current = first;
  }, [first]);
  useLayoutEffect(() => {
    if (following && container.current) {
      container.current.scrollTop = container.current.scrollHeight;
      setSeen(last);
    }
  }, [following, last, ...sizes]);
  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return;
    let lastTop = element.scrollTop;
    const onScroll = () => {
      const below = element.scrollHeight - element.clientHeight - element.scrollTop;
      // New lines move the bottom away as well, so only scrolling up stops following.
      if (element.scrollTop < lastTop && below > 1) setFollowing(false);
      else if (below <= BOTTOM_PX) setFollowing(true);
      lastTop = element.scrollTop;
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [container]);

  const toBottom = useCallback(() => {
    setFollowing(true);
    container.current?.focus({ preventScroll: true });
  }, [container]);
  return { following, unseen: Math.max(0, last - seen), toBottom };
}

function onArrow(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>("button[aria-expanded]")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  buttons[at + step]?.focus();
  event.preventDefault();
}

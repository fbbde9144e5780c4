/** The rows of a query result. */
import "./results.css";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { SqlResult } from "../../api/types";
import { count, durationText } from "../../format";
import { followLink, tracePath } from "../../navigation/route";
import { rowsToRender } from "../../scrolling/element_rows";
import { useScrollPosition } from "../../scrolling/element_scroll";
import { cellText, csv, isNumeric, isTraceId, type SortOrder, sorted, widths } from "./cells";

const ROW_PX = 30;
const CLIP_LENGTH = 44;

interface Props {
  table: SqlResult;
  /** How many rows were requested; `onMore`, if not null, requests more. */
  limit: number;
  onMore: (() => void) | null;
}

export function Results({ table, limit, onMore }: Props) {
  const [order, setOrder] = useState<SortOrder | null>(null);
  const [openedCell, setOpenedCell] = useState<{ name: string; value: unknown } | null>(null);
  useLayoutEffect(() => setOrder(null), [table]);
  const rows = useMemo(() => sorted(table, order), [table, order]);
  return (
    <section class="results panel" aria-label="Result">
      <div class="results-head">
        <p role="status">
          <b>{count(table.rows.length, "row")}</b> in {durationText(table.elapsed_ms)}
          {table.truncated &&
            `. There are more; these are the first ${limit.toLocaleString("en")}.`}
        </p>
        {table.truncated && onMore && (
          <button type="button" onClick={onMore}>
            Fetch more
          </button>
        )}
        {table.rows.length > 0 && <CopyCsv text={() => csv(table.columns, rows)} />}
      </div>
      {table.rows.length === 0 ? (
        <p class="none">The query returned no rows.</p>
      ) : (
        <Grid
          table={table}
          rows={rows}
          order={order}
          onOrder={(column) =>
            setOrder((before) =>
              before?.column !== column
                ? { column, descending: false }
                : before.descending
                  ? null
                  : { column, descending: true },
            )
          }
          onOpen={setOpenedCell}
        />
      )}
      {openedCell && <ValueDialog {...openedCell} onClose={() => setOpenedCell(null)} />}
    </section>
  );
}

interface GridProps {
  table: SqlResult;
  rows: unknown[][];
  order: SortOrder | null;
  onOrder: (column: number) => void;
  onOpen: (cell: { name: string; value: unknown }) => void;
}

function Grid({ table, rows, order, onOrder, onOpen }: GridProps) {
  const container = useRef<HTMLElement>(null);
  const { topPx, heightPx } = useScrollPosition(container);
  const rendered = rowsToRender({ count: rows.length, rowPx: ROW_PX, extra: [] }, topPx, heightPx);
  const columnWidths = useMemo(() => widths(table), [table]);
  const spanColumn = table.columns.findIndex(({ name }) => name === "span_id");
  const names = table.columns;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard
    <section class="grid-scroll" ref={container} tabIndex={0} aria-label="Rows">
      <table
        aria-rowcount={rows.length + 1}
        style={{ minWidth: `${columnWidths.reduce((sum, width) => sum + width, 0)}ch` }}
      >
        <colgroup>
          {columnWidths.map((characters, index) => (
            <col key={index} style={{ width: `${characters}ch` }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {names.map((column, index) => (
              <th
                key={index}
                scope="col"
                class={isNumeric(column) ? "number" : ""}
                aria-sort={
                  order?.column === index
                    ? order.descending
                      ? "descending"
                      : "ascending"
                    : undefined
                }
              >
                <button type="button" onClick={() => onOrder(index)} title={column.type}>
                  {column.name}
                  <span class="arrow" aria-hidden="true">
                    {order?.column === index ? (order.descending ? " ↓" : " ↑") : ""}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Space px={rendered.abovePx} columns={names.length} />
          {rows.slice(rendered.first, rendered.end).map((row, index) => (
            <tr key={rendered.first + index} aria-rowindex={rendered.first + index + 2}>
              {names.map((column, at) => (
                <td key={at} class={isNumeric(column) ? "number" : ""}>
                  <Cell
                    value={row[at] ?? null}
                    spanId={spanColumn >= 0 ? row[spanColumn] : null}
                    onOpen={(value) => onOpen({ name: column.name, value })}
                  />
                </td>
              ))}
            </tr>
          ))}
          <Space px={rendered.belowPx} columns={names.length} />
        </tbody>
      </table>
    </section>
  );
}

/** Empty space in place of rows that are not rendered. */
function Space({ px, columns }: { px: number; columns: number }) {
  if (px === 0) return null;
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${px}px` }} />
    </tr>
  );
}

interface CellProps {
  value: unknown;
  spanId: unknown | undefined;
  onOpen: (value: unknown) => void;
}

function Cell({ value, spanId, onOpen }: CellProps) {
  if (value === null) return <span class="null">null</span>;
  if (isTraceId(value)) {
    const to = tracePath(value, typeof spanId === "string" ? spanId : null);
    return (
      <a href={to} onClick={followLink}>
        {value}
      </a>
    );
  }
  const text = cellText(value);
  if (text.length <= CLIP_LENGTH && !text.includes("\n")) return <>{text}</>;
  return (
    <button type="button" class="long" title="Show the whole value" onClick={() => onOpen(value)}>
      {text.slice(0, 4 * CLIP_LENGTH)}
    </button>
  );
}

/** A dialog that shows the whole of a value that is longer than its cell. */
function ValueDialog(props: { name: string; value: unknown; onClose: () => void }) {
  const { name, value, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      class="value-dialog"
      ref={dialog}
      onClose={onClose}
      aria-labelledby="value-dialog-title"
    >
      <div class="value-dialog-head">
        <h2 id="value-dialog-title">{name}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be reachable by keyboard */}
      <pre tabIndex={0}>
        {typeof value === "object" ? JSON.stringify(value, null, 2) : cellText(value)}
      </pre>
    </dialog>
  );
}

function CopyCsv({ text }: { text: () => string }) {
  const [label, setLabel] = useState("Copy as CSV");
  useEffect(() => {
    const timer = setTimeout(() => setLabel("Copy as CSV"), 2_000);
    return () => clearTimeout(timer);
  }, [label]);
  const copy = () =>
    navigator.clipboard.writeText(text()).then(
      () => setLabel("Copied"),
      () => setLabel("Not copied: no access to the clipboard"),
    );
  return (
    <button type="button" class="copy" onClick={copy} aria-live="polite">
      {label}
    </button>
  );
}

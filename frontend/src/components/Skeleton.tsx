interface Props {
  /** What is being loaded, for a screen reader. */
  label: string;
  /** The width of each grey line, in per cent. */
  widths?: readonly number[];
}

/** A panel of grey lines in place of text that is on its way. */
export function Skeleton({ label, widths = [50, 90] }: Props) {
  return (
    <div class="notice panel skeleton" aria-busy="true">
      <span class="unseen">{label}</span>
      {widths.map((width) => (
        <span key={width} class="bone" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

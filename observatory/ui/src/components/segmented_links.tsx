/** A row of links of which one is current, such as "Chart" and "Table". */
import "./segmented_links.css";
import { followLink } from "../navigation/route";

interface Props {
  /** The accessible name of the group. */
  label: string;
  links: readonly { title: string; path: string; current: boolean }[];
}

export function SegmentedLinks({ label, links }: Props) {
  return (
    <nav class="segmented-links" aria-label={label}>
      {links.map(({ title, path, current }) => (
        <a key={title} href={path} onClick={followLink} aria-current={current ? "true" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

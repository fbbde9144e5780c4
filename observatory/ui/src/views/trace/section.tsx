/** A titled section of a span's details. */
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  size?: number;
  children: ComponentChildren;
}

export function Section({ title, size, children }: Props) {
  return (
    <section>
      <h3>
        {title} {size !== undefined && <span class="size">{size}</span>}
      </h3>
      {children}
    </section>
  );
}

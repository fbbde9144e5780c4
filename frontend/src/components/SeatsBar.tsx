import "./seatsBar.css";

/** How much of a show is sold, from 0 to 1, as a bar. */
export function SeatsBar({ share }: { share: number }) {
  return (
    <span class="seats-bar" aria-hidden="true">
      <span style={{ width: `${Math.round(share * 100)}%` }} />
    </span>
  );
}

/** The ticket beside the name; decoration. */
export function TicketMark() {
  return (
    <svg viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">
      <path
        d="M2 0h24a2 2 0 0 1 2 2v5a3 3 0 0 0 0 6v5a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2v-5a3 3 0 0 0 0-6V2a2 2 0 0 1 2-2z"
        fill="currentColor"
      />
      <path d="M18 3v14" stroke="var(--panel)" stroke-width="1.6" stroke-dasharray="2.2 2.2" />
    </svg>
  );
}

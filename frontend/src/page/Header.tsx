import { SignOutButton } from "../buyer/SignOutButton";
import type { Buyer } from "../buyer/useBuyer";

interface Props {
  buyer: Buyer;
  signIn: () => void;
  signOut: () => void;
  orderCount: number;
  ticketCount: number;
}

export function Header({ buyer, signIn, signOut, orderCount, ticketCount }: Props) {
  return (
    <header class="top">
      <div class="top-inside">
        <h1 class="brand">
          <svg viewBox="0 0 28 20" width="28" height="20" aria-hidden="true">
            <path
              d="M2 0h24a2 2 0 0 1 2 2v5a3 3 0 0 0 0 6v5a2 2 0 0 1-2 2H2a2 2 0 0 1-2-2v-5a3 3 0 0 0 0-6V2a2 2 0 0 1 2-2z"
              fill="currentColor"
            />
            <path
              d="M18 3v14"
              stroke="var(--panel)"
              stroke-width="1.6"
              stroke-dasharray="2.2 2.2"
            />
          </svg>
          Box Office
        </h1>
        <nav aria-label="On this page">
          <a href="#shows">Shows</a>
          <a href="#orders">
            Orders
            <Count of={orderCount} />
          </a>
          <a href="#tickets">
            Tickets
            <Count of={ticketCount} />
          </a>
        </nav>
        <div class="account">
          {buyer.status === "signed-in" && (
            <SignOutButton orderCount={orderCount} signOut={signOut} />
          )}
          {(buyer.status === "signed-out" || buyer.status === "failed") && (
            <button type="button" class="button small" onClick={signIn}>
              {buyer.status === "failed" ? "Try again" : "Continue as a guest"}
            </button>
          )}
        </div>
      </div>
    </header>
  );
}

function Count({ of }: { of: number }) {
  return <span class="count">{of > 0 ? of : ""}</span>;
}

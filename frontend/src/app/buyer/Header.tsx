import { TicketMark } from "../../components/TicketMark";
import { SignOutButton } from "./SignOutButton";
import type { Buyer } from "./useBuyer";

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
          <TicketMark />
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

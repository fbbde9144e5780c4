import { useRef, useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog";

interface Props {
  orderCount: number;
  signOut: () => void;
}

/** Signs a guest out, after a warning that the guest's orders can then no longer be seen. */
export function SignOutButton({ orderCount, signOut }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [confirming, setConfirming] = useState(false);
  return (
    <>
      <span class="who">Guest</span>
      <button
        type="button"
        class="button small"
        onClick={() => (orderCount === 0 ? signOut() : setConfirming(true))}
      >
        Sign out
      </button>
      {confirming && (
        <Dialog
          dialog={dialog}
          labelledBy="sign-out-title"
          size="small"
          onClose={() => setConfirming(false)}
        >
          <h2 id="sign-out-title">Sign out?</h2>
          <p>
            You are a guest: only this browser has access to {ordersInWords(orderCount)}. After you
            sign out, that access cannot be restored.
          </p>
          <form method="dialog" class="row-end">
            <button type="submit" class="button">
              Stay
            </button>
            <button type="submit" class="button danger" onClick={signOut}>
              Sign out
            </button>
          </form>
        </Dialog>
      )}
    </>
  );
}

function ordersInWords(count: number): string {
  return count === 1 ? "your order and its tickets" : `your ${count} orders and their tickets`;
}

import { useRef } from "preact/hooks";
import { ordersInWords } from "./words";

interface Props {
  orderCount: number;
  signOut: () => void;
}

/** Signs a guest out, after saying what a guest with orders loses by it. */
export function SignOutButton({ orderCount, signOut }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <span class="who">Guest</span>
      <button
        type="button"
        class="button small"
        onClick={() => (orderCount === 0 ? signOut() : dialog.current?.showModal())}
      >
        Sign out
      </button>
      <dialog ref={dialog} class="sheet small-sheet" aria-labelledby="sign-out-title">
        <h2 id="sign-out-title">Sign out?</h2>
        <p>
          You are a guest: this browser is the only key to {ordersInWords(orderCount)}. Once you are
          signed out, nobody can get back to them.
        </p>
        <form method="dialog" class="row-end">
          <button type="submit" class="button">
            Stay
          </button>
          <button type="submit" class="button danger" onClick={signOut}>
            Sign out
          </button>
        </form>
      </dialog>
    </>
  );
}

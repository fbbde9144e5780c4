import { useCallback, useEffect, useState } from "preact/hooks";
import { backend, withBackend } from "./backend";

/** The buyer, as far as the page knows. */
export type Buyer =
  | { status: "loading" }
  | { status: "signed-in"; uid: string }
  | { status: "signed-out" }
  | { status: "failed"; error: Error };

export interface BuyerAndActions {
  buyer: Buyer;
  signIn: () => void;
  signOut: () => void;
}

// Without this note, a reload would sign a buyer who has just signed out in again.
const SIGNED_OUT_KEY = "boxoffice.signed-out";

/** Sign the buyer in as a guest on the first visit, and follow their account from then on. */
export function useBuyer(): BuyerAndActions {
  const [buyer, setBuyer] = useState<Buyer>({ status: "loading" });

  const signIn = useCallback(() => {
    localStorage.removeItem(SIGNED_OUT_KEY);
    setBuyer({ status: "loading" });
    backend
      .then((loaded) => loaded.signInAsGuest())
      .catch((error: Error) => {
        console.error("Signing in failed", error);
        setBuyer({ status: "failed", error });
      });
  }, []);

  const signOut = useCallback(() => {
    localStorage.setItem(SIGNED_OUT_KEY, "yes");
    backend
      .then((loaded) => loaded.signOut())
      .catch((error: Error) => setBuyer({ status: "failed", error }));
  }, []);

  useEffect(
    () =>
      withBackend(
        (loaded) =>
          loaded.watchBuyer((uid) => {
            if (uid !== null) setBuyer({ status: "signed-in", uid });
            else if (localStorage.getItem(SIGNED_OUT_KEY)) setBuyer({ status: "signed-out" });
            else signIn();
          }),
        (error) => setBuyer({ status: "failed", error }),
      ),
    [signIn],
  );

  return { buyer, signIn, signOut };
}

import { useCallback, useEffect, useState } from "preact/hooks";
import { withTracing } from "../../tracing/load";
import { backend, withBackend } from "./backend";

/** The visitor of the organiser's page, as far as it is known. */
export type Visitor =
  | { status: "loading" }
  | { status: "signed-out" }
  | { status: "no-claim"; email: string; isWatched: boolean }
  | { status: "organiser"; email: string }
  | { status: "failed"; error: Error };

export interface VisitorAndActions {
  visitor: Visitor;
  signOut: () => void;
  /** Check again whether the account is an organiser's. Rejects with FirebaseError. */
  checkAgain: () => Promise<void>;
}

/** Follow the account that is signed in, and whether it is an organiser's. */
export function useOrganiser(): VisitorAndActions {
  const [visitor, setVisitor] = useState<Visitor>({ status: "loading" });

  useEffect(() => {
    const fail = (error: Error) => {
      console.error("The signed-in account could not be read", error);
      withTracing((tracing) => tracing.pageFailed(error));
      setVisitor({ status: "failed", error });
    };
    return withBackend(
      (loaded) =>
        loaded.watchOrganiser((account) => {
          if (account === null) setVisitor({ status: "signed-out" });
          else if (account.isOrganiser) setVisitor({ status: "organiser", email: account.email });
          else setVisitor({ status: "no-claim", ...account });
          withTracing((tracing) => tracing.pageReady());
        }, fail),
      fail,
    );
  }, []);

  const signOut = useCallback(() => {
    backend
      .then((loaded) => loaded.signOut())
      .catch((error: Error) => setVisitor({ status: "failed", error }));
  }, []);
  const checkAgain = useCallback(async () => (await backend).checkClaimAgain(), []);
  return { visitor, signOut, checkAgain };
}

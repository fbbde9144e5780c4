import { useCallback, useEffect, useState } from "preact/hooks";
import { tell } from "../../tracing/load";
import { backend, withBackend } from "./backend";

/** Who is at the organiser's page, as it sees them. */
export type Visitor =
  | { status: "loading" }
  | { status: "signed-out" }
  | { status: "no-claim"; email: string; isWatched: boolean }
  | { status: "organiser"; email: string }
  | { status: "failed"; error: Error };

export interface VisitorAndActions {
  visitor: Visitor;
  signOut: () => void;
  /** Looks again whether they are an organiser now. Rejects with FirebaseError. */
  checkAgain: () => Promise<void>;
}

/** Follows who is signed in, and whether they are an organiser. */
export function useOrganiser(): VisitorAndActions {
  const [visitor, setVisitor] = useState<Visitor>({ status: "loading" });

  useEffect(() => {
    const fail = (error: Error) => {
      console.error("Who is signed in could not be found out", error);
      tell((tracing) => tracing.pageFailed(error));
      setVisitor({ status: "failed", error });
    };
    return withBackend(
      (loaded) =>
        loaded.watchOrganiser((account) => {
          if (account === null) setVisitor({ status: "signed-out" });
          else if (account.isOrganiser) setVisitor({ status: "organiser", email: account.email });
          else setVisitor({ status: "no-claim", ...account });
          tell((tracing) => tracing.pageReady());
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

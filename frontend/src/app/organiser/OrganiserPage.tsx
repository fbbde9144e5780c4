import "./organiser.css";
import { useEffect, useRef } from "preact/hooks";
import { Announcer } from "../../components/Announcer";
import { ConnectionBanner } from "../../components/ConnectionBanner";
import { Notice } from "../../components/Notice";
import { Skeleton } from "../../components/Skeleton";
import { TicketMark } from "../../components/TicketMark";
import { useOnline } from "../../components/useOnline";
import { NoClaim } from "./NoClaim";
import { SignIn } from "./SignIn";
import { useOrganiser, type Visitor } from "./useOrganiser";
import { Workplace } from "./Workplace";

/** The organiser's page: the sign-in, then the shows and their sales. */
export function OrganiserPage() {
  const online = useOnline();
  const { visitor, signOut, checkAgain } = useOrganiser();
  const { status } = visitor;
  const before = useRef(status);
  useEffect(() => {
    // After signing in or out, the focus moves to the result.
    if (before.current !== "loading" && before.current !== status) {
      document.getElementById("main")?.focus();
    }
    before.current = status;
  }, [status]);
  const signedIn = visitor.status === "organiser" || visitor.status === "no-claim";
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <div class="top-inside">
          <h1 class="brand">
            <TicketMark />
            Box Office <span class="soft">Organiser</span>
          </h1>
          <nav aria-label="Pages">
            <a href="/">Buyers' page</a>
          </nav>
          <div class="account">
            {signedIn && (
              <>
                <span class="who email">{visitor.email}</span>
                <button type="button" class="button small" onClick={signOut}>
                  Sign out
                </button>
              </>
            )}
          </div>
        </div>
      </header>
      {visitor.status === "organiser" ? (
        <Workplace online={online} />
      ) : (
        <>
          <ConnectionBanner online={online} connected={true} paused="Signing in is paused" />
          <Door visitor={visitor} online={online} checkAgain={checkAgain} signOut={signOut} />
        </>
      )}
      <Announcer />
    </>
  );
}

interface DoorProps {
  visitor: Exclude<Visitor, { status: "organiser" }>;
  online: boolean;
  checkAgain: () => Promise<void>;
  signOut: () => void;
}

/** What a visitor sees who is not signed in as an organiser. */
function Door({ visitor, online, checkAgain, signOut }: DoorProps) {
  return (
    <main id="main" class="door" tabIndex={-1}>
      {visitor.status === "loading" && <Skeleton label="Checking your sign-in" />}
      {visitor.status === "signed-out" && <SignIn online={online} />}
      {visitor.status === "no-claim" && (
        <NoClaim
          email={visitor.email}
          isWatched={visitor.isWatched}
          checkAgain={checkAgain}
          signOut={signOut}
        />
      )}
      {visitor.status === "failed" && (
        <Notice tone="bad" title="Your sign-in can't be checked." urgent>
          <p>Check your connection, then load the page again.</p>
          <p class="soft detail">{visitor.error.message}</p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            Load again
          </button>
        </Notice>
      )}
    </main>
  );
}

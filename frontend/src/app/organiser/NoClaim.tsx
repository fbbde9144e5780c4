import { useState } from "preact/hooks";
import { announce } from "../../components/Announcer";
import { Notice } from "../../components/Notice";

interface Props {
  email: string;
  /** Whether the page is watching for the account to become an organiser's. */
  isWatched: boolean;
  checkAgain: () => Promise<void>;
  signOut: () => void;
}

/** Shown to a visitor whose account is not an organiser's. */
export function NoClaim({ email, isWatched, checkAgain, signOut }: Props) {
  const [outcome, setOutcome] = useState<string | null>(null);
  const check = async () => {
    setOutcome(null);
    try {
      await checkAgain();
      // If the account has the claim now, this view is replaced before the text is seen.
      setOutcome("This is not an organiser's account yet.");
      announce("This is not an organiser's account yet.");
    } catch (error) {
      console.error("The claim could not be looked up", error);
      setOutcome("The box office can't be reached. Try again.");
    }
  };
  return (
    <Notice title="This account is not an organiser's." urgent>
      <p>
        You are signed in as <strong class="email">{email || "a guest"}</strong>, which can buy but
        not sell. An administrator of the box office can change that, or you can use another
        account.
      </p>
      <p class="soft detail" role="status">
        {outcome ??
          (isWatched
            ? "Once your account is an organiser's, this page continues automatically."
            : "Have you just become an organiser? Check again.")}
      </p>
      <div class="row">
        <button type="button" class="button" onClick={() => void check()}>
          Check again
        </button>
        <button type="button" class="button primary" onClick={signOut}>
          Use another account
        </button>
      </div>
    </Notice>
  );
}

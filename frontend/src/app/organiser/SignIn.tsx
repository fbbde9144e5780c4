import { useEffect, useRef, useState } from "preact/hooks";
import { Notice } from "../../components/Notice";
import { describeOrganiserError } from "../../model/organiserError";
import type { UserError } from "../../model/userError";
import { settings } from "../../settings";
import { backend } from "./backend";
import { FormField } from "./FormField";

interface FormErrors {
  email?: string;
  password?: string;
}

/** Signs in with e-mail and password; `useOrganiser` observes the result. */
export function SignIn({ online }: { online: boolean }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [errors, setErrors] = useState<FormErrors>({});
  const [failure, setFailure] = useState<UserError | null>(null);
  const [busy, setBusy] = useState(false);
  const emailInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (failure) passwordInput.current?.focus();
  }, [failure]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !online) return;
    const formErrors: FormErrors = {
      ...(email.trim() === "" && { email: "Enter your e-mail address." }),
      ...(password === "" && { password: "Enter your password." }),
    };
    setErrors(formErrors);
    setFailure(null);
    if (formErrors.email) return emailInput.current?.focus();
    if (formErrors.password) return passwordInput.current?.focus();
    setBusy(true);
    try {
      await (await backend).signIn(email.trim(), password);
    } catch (error) {
      console.error("Signing in failed", error);
      setFailure(describeOrganiserError("sign in", error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class="panel sign-in" aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Sign in</h2>
      <p class="soft">To put shows on sale, watch them sell and refund orders.</p>
      <form onSubmit={submit} noValidate>
        <FormField
          id="email"
          label="E-mail"
          type="email"
          autoComplete="username"
          value={email}
          error={errors.email}
          disabled={busy}
          input={emailInput}
          change={setEmail}
        />
        <FormField
          id="password"
          label="Password"
          type="password"
          autoComplete="current-password"
          value={password}
          error={errors.password}
          disabled={busy}
          input={passwordInput}
          change={setPassword}
        />
        {failure && (
          <Notice tone="bad" title={failure.title} urgent>
            <p>{failure.hint}</p>
          </Notice>
        )}
        <button type="submit" class="button primary wide" disabled={busy || !online}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
        {settings.authEmulatorUrl !== null && (
          <p class="soft hint">
            The local stack has one organiser: <code>organiser@example.org</code>, with the password{" "}
            <code>box-office</code>.
          </p>
        )}
        {!online && <p class="soft hint">You are offline. Sign in once you are online.</p>}
      </form>
    </section>
  );
}

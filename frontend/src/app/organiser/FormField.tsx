import "../../components/form.css";
import type { InputHTMLAttributes, Ref } from "preact";

interface Props {
  id: string;
  label: string;
  type?: "text" | "email" | "password" | "datetime-local";
  value: string;
  error?: string | null | undefined;
  hint?: string;
  disabled?: boolean;
  inputMode?: "numeric" | "decimal" | "email";
  autoComplete?: string;
  /** Whether the field has several lines. */
  long?: boolean;
  input?: Ref<HTMLInputElement>;
  change: (value: string) => void;
}

/** A labelled field with its error message below it. */
export function FormField(props: Props) {
  const { id, label, error, hint, long = false, value, input, change, type = "text" } = props;
  const errorId = `${id}-error`;
  const hintId = `${id}-hint`;
  const described = [error ? errorId : "", hint ? hintId : ""].filter(Boolean).join(" ");
  const common = {
    id,
    name: id,
    value,
    disabled: props.disabled,
    autoComplete: props.autoComplete ?? "off",
    "aria-invalid": Boolean(error),
    "aria-describedby": described || undefined,
    onInput: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {long ? (
        <textarea rows={2} {...common} />
      ) : (
        <input
          ref={input ?? null}
          // Preact types each kind of input separately and has no type for a union of them.
          {...({ ...common, type, inputMode: props.inputMode } as InputHTMLAttributes)}
        />
      )}
      {error && (
        <p class="field-error" id={errorId}>
          {error}
        </p>
      )}
      {hint && (
        <p class="soft hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

import type { InputHTMLAttributes, Ref } from "preact";

interface Props {
  id: string;
  label: string;
  type?: "text" | "email" | "password" | "datetime-local";
  value: string;
  fault?: string | null | undefined;
  hint?: string;
  disabled?: boolean;
  inputMode?: "numeric" | "decimal" | "email";
  autoComplete?: string;
  /** More lines than one. */
  long?: boolean;
  input?: Ref<HTMLInputElement>;
  change: (value: string) => void;
}

/** A labelled field that says under itself what is wrong with it. */
export function Field(props: Props) {
  const { id, label, fault, hint, long = false, value, input, change, type = "text" } = props;
  const faultId = `${id}-fault`;
  const hintId = `${id}-hint`;
  const described = [fault ? faultId : "", hint ? hintId : ""].filter(Boolean).join(" ");
  const common = {
    id,
    name: id,
    value,
    disabled: props.disabled,
    autoComplete: props.autoComplete ?? "off",
    "aria-invalid": Boolean(fault),
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
          // Preact's types have one shape a type of input, and no shape for a choice of them.
          {...({ ...common, type, inputMode: props.inputMode } as InputHTMLAttributes)}
        />
      )}
      {fault && (
        <p class="fault" id={faultId}>
          {fault}
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

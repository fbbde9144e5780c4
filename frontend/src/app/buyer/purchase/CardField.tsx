import "../../../components/form.css";
import type { RefObject } from "preact";
import { grouped, TEST_CARDS } from "../../../model/card";

interface Props {
  value: string;
  error: string | null;
  disabled: boolean;
  input: RefObject<HTMLInputElement | null>;
  change: (value: string) => void;
}

export function CardField({ value, error, disabled, input, change }: Props) {
  return (
    <div class="card-field">
      <label for="card-number">Card number</label>
      <input
        ref={input}
        id="card-number"
        name="card-number"
        inputMode="numeric"
        autoComplete="off"
        spellcheck={false}
        placeholder="4242 4242 4242 4242"
        value={value}
        disabled={disabled}
        aria-invalid={error !== null}
        aria-describedby={error === null ? "card-hint" : "card-error card-hint"}
        onInput={(event) => change(event.currentTarget.value)}
        onBlur={() => change(grouped(value))}
      />
      {error !== null && (
        <p class="field-error" id="card-error" role="alert">
          {error}
        </p>
      )}
      <p class="soft hint" id="card-hint">
        It is sent only to the card processor. No date or code is needed.
      </p>
      <fieldset class="test-cards">
        <legend>Test cards</legend>
        <ul>
          {TEST_CARDS.map((card) => (
            <li key={card.number}>
              <button
                type="button"
                disabled={disabled}
                aria-pressed={value === grouped(card.number)}
                onClick={() => change(grouped(card.number))}
              >
                <span class="test-outcome">{card.outcome}</span>
                <span class="test-number">{grouped(card.number)}</span>
                <span class="soft">{card.explanation}</span>
              </button>
            </li>
          ))}
        </ul>
      </fieldset>
    </div>
  );
}

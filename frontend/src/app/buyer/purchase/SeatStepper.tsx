interface Props {
  seats: number;
  most: number;
  disabled: boolean;
  change: (seats: number) => void;
}

export function SeatStepper({ seats, most, disabled, change }: Props) {
  return (
    <fieldset class="stepper">
      <legend>Seats</legend>
      <div class="stepper-row">
        <button
          type="button"
          class="button round"
          aria-label="Fewer seats"
          disabled={disabled || seats <= 1}
          onClick={() => change(seats - 1)}
        >
          −
        </button>
        <output aria-live="polite" aria-label="Number of seats">
          {seats}
        </output>
        <button
          type="button"
          class="button round"
          aria-label="More seats"
          disabled={disabled || seats >= most}
          onClick={() => change(seats + 1)}
        >
          +
        </button>
        <span class="soft">{most === 1 ? "only one left" : `up to ${most}`}</span>
      </div>
    </fieldset>
  );
}

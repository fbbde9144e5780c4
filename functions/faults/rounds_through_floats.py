"""rounds-through-floats: one line of arithmetic, wrong for some prices only."""


def cents(amount_cents: int) -> int:
    """The amount as the processor's older interface wanted it, in euros, and back."""
    euros = amount_cents / 100
    return int(euros * 100)

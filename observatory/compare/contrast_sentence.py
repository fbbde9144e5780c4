"""The largest differences between a subset of the traces and the rest, in a sentence."""

from collections.abc import Sequence

from observatory.compare.attribute_shares import Attribute, Share, Sizes
from observatory.schemas.comparison import SentencePart
from observatory.text_format import count_text, duration_text

# Smaller differences are not mentioned.
SIGNIFICANT_DIFFERENCE = 0.15
SIGNIFICANT_WAIT_MS = 20.0
# Properties of every span, which explain less than attributes.
SPAN_KEYS = frozenset({"kind", "status", "name"})


def contrast_sentence(
    attributes: Sequence[Attribute], sizes: Sizes, noun: str, *, is_box: bool
) -> list[SentencePart]:
    """Describe how the subset differs: by a value, and by a wait.

    Args:
        attributes: the attributes that differ, ranked by score.
        sizes: the numbers of traces inside and outside the subset.
        noun: ``trace``, or the filter key of the traces' subject.
        is_box: whether the subset is a box on the heatmap rather than a filter.
    """
    subset = count_text(sizes.selected, noun)
    if not sizes.selected and not sizes.rest:
        return [_part(f"No {noun} matches, so there is nothing to compare.")]
    if not sizes.selected:
        return [_part(f"No {noun} is {'in your box' if is_box else 'among those you chose'}.")]
    chosen = "you boxed" if is_box else "you chose"
    if not sizes.rest:
        everything = "The only " if sizes.selected == 1 else "All "
        text = noun if sizes.selected == 1 else subset
        return [
            _part(everything),
            _part(text, strong=True),
            _part(
                f" {'is' if sizes.selected == 1 else 'are'} {'in your box' if is_box else 'chosen'}"
                ", so there is nothing to compare with."
            ),
        ]
    clauses: list[list[SentencePart]] = []
    top_value = _top_value(attributes)
    if top_value is not None:
        clauses.append(_value_clause(*top_value, sizes))
    wait = _longest_wait(attributes)
    if wait is not None and (top_value is None or wait is not top_value[0]):
        clauses.append(_wait_clause(wait, singular=sizes.selected == 1))
    if not clauses:
        return [
            _part("Nothing sets the "),
            _part(subset, strong=True),
            _part(f" {chosen} clearly apart from the rest."),
        ]
    parts = [_part("In the "), _part(subset, strong=True), _part(f" {chosen}, ")]
    for index, clause in enumerate(clauses):
        parts += [_part(", and ")] * (index > 0) + clause
    return [*parts, _part(".")]


def _top_value(attributes: Sequence[Attribute]) -> tuple[Attribute, Share] | None:
    """Return the value that is most over-represented in the subset, and its attribute.

    Values that were known at the start come first, because the others may be consequences.
    """
    best: tuple[bool, float, Attribute, Share] | None = None
    for attribute in attributes:
        if attribute.medians is not None and attribute.key.startswith("wait."):
            continue
        for share in attribute.shares:
            sizes = attribute.sizes
            excess = sizes.inside(share) - sizes.outside(share)
            score = excess - sizes.noise(share) - 0.2 * (attribute.key in SPAN_KEYS)
            significant = excess >= SIGNIFICANT_DIFFERENCE and score > 0
            rank = (attribute.known_at_start, score)
            if significant and (best is None or rank > best[:2]):
                best = (*rank, attribute, share)
    return None if best is None else best[2:]


def _longest_wait(attributes: Sequence[Attribute]) -> Attribute | None:
    """Return the wait whose median is longest inside the subset compared with outside."""
    waits = [
        (attribute.medians[0] - attribute.medians[1], attribute)
        for attribute in attributes
        if attribute.medians is not None and attribute.score >= SIGNIFICANT_DIFFERENCE
    ]
    excess_ms, attribute = max(waits, key=lambda wait: wait[0], default=(0.0, None))
    if attribute is None or attribute.medians is None:
        return None
    significant = excess_ms >= SIGNIFICANT_WAIT_MS and excess_ms >= attribute.medians[1] / 4
    return attribute if significant else None


def _value_clause(attribute: Attribute, share: Share, sizes: Sizes) -> list[SentencePart]:
    inside, outside = _percent(sizes.inside(share)), _percent(sizes.outside(share))
    shares = f" for {inside}, against {outside} of the rest"
    if attribute.key == "missing_hop":
        return [_part(f"the hop {share.label} is missing", strong=True), _part(shares)]
    if share.label in ("set", "not set"):
        return [_part(f"{attribute.key} is {share.label}", strong=True), _part(shares)]
    value = f"“{share.label}”" if attribute.kind == "text" else share.label
    return [_part(f"{attribute.key} is {value}", strong=True), _part(shares)]


def _wait_clause(attribute: Attribute, *, singular: bool) -> list[SentencePart]:
    inside, outside = attribute.medians or (0.0, 0.0)
    return [
        _part("it spends " if singular else "they spend "),
        _part(f"{duration_text(inside - outside)} more", strong=True),
        _part(" waiting in "),
        _part(attribute.key.removeprefix("wait."), strong=True),
    ]


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{share * 100:.0f} %"


def _part(text: str, strong: bool = False) -> SentencePart:
    return {"text": text, "strong": strong}

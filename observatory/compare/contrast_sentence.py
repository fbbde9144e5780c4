"""What stands out most, parts in a sentence."""

from collections.abc import Sequence

from observatory.compare.attribute_shares import Attribute, Share, Sizes
from observatory.schemas.comparison import SentencePart
from observatory.text_format import count_text, duration_text

# From this on a difference is worth a sentence.
WORTH_SAYING = 0.15
WORTH_WAITING_MS = 20.0
# What is parts of the spans themselves, rather than of what was asked of them.
PLAIN_KEYS = frozenset({"kind", "status", "name"})


def sentence_of(
    attributes: Sequence[Attribute], sizes: Sizes, noun: str, boxed: bool
) -> list[SentencePart]:
    """The sentence for attributes that are ranked, most telling first.

    Args:
        attributes: those that differ at all.
        sizes: how many traces are inside and outside.
        noun: what the traces are: ``trace``, or the key of what they are about.
        boxed: whether a box was drawn around them, rather than a filter chosen.
    """
    those = count_text(sizes.selected, noun)
    if not sizes.selected:
        return [_part(f"No {noun} is {'in your box' if boxed else 'among those you chose'}.")]
    chosen = "you boxed" if boxed else "you chose"
    if not sizes.rest:
        everything = "The only " if sizes.selected == 1 else "All "
        text = noun if sizes.selected == 1 else those
        return [
            _part(everything),
            _part(text, strong=True),
            _part(
                f" {'is' if sizes.selected == 1 else 'are'} {'in your box' if boxed else 'chosen'}"
                ", so there is nothing to compare with."
            ),
        ]
    clauses: list[list[SentencePart]] = []
    top = _top(attributes)
    if top is not None:
        clauses.append(_has(*top, sizes))
    wait = _longest_wait(attributes)
    if wait is not None and (top is None or wait is not top[0]):
        clauses.append(_waits(wait, sizes.selected == 1))
    if not clauses:
        return [
            _part("Nothing sets the "),
            _part(those, strong=True),
            _part(f" {chosen} clearly apart from the rest."),
        ]
    parts = [_part("In the "), _part(those, strong=True), _part(f" {chosen}, ")]
    for index, clause in enumerate(clauses):
        parts += [_part(", and ")] * (index > 0) + clause
    return [*parts, _part(".")]


def _top(attributes: Sequence[Attribute]) -> tuple[Attribute, Share] | None:
    """The attribute and the value that most of those inside have, and few of the rest."""
    best: tuple[float, Attribute, Share] | None = None
    for attribute in attributes:
        if attribute.medians is not None and attribute.key.startswith("wait."):
            continue
        for share in attribute.shares:
            sizes = attribute.sizes
            more = sizes.inside(share) - sizes.outside(share)
            weight = more - sizes.noise(share) - 0.2 * (attribute.key in PLAIN_KEYS)
            if more >= WORTH_SAYING and weight > 0 and (best is None or weight > best[0]):
                best = (weight, attribute, share)
    return None if best is None else best[1:]


def _longest_wait(attributes: Sequence[Attribute]) -> Attribute | None:
    waits = [
        (attribute.medians[0] - attribute.medians[1], attribute)
        for attribute in attributes
        if attribute.medians is not None and attribute.score >= WORTH_SAYING
    ]
    longer, attribute = max(waits, key=lambda wait: wait[0], default=(0.0, None))
    if attribute is None or attribute.medians is None:
        return None
    worth = longer >= WORTH_WAITING_MS and longer >= attribute.medians[1] / 4
    return attribute if worth else None


def _has(attribute: Attribute, share: Share, sizes: Sizes) -> list[SentencePart]:
    inside, outside = _percent(sizes.inside(share)), _percent(sizes.outside(share))
    shares = f" for {inside}, against {outside} of the rest"
    if attribute.key == "missing_hop":
        return [_part(f"the hop {share.label} is missing", strong=True), _part(shares)]
    if share.label in ("set", "not set"):
        return [_part(f"{attribute.key} is {share.label}", strong=True), _part(shares)]
    value = f"“{share.label}”" if attribute.kind == "text" else share.label
    return [_part(f"{attribute.key} is {value}", strong=True), _part(shares)]


def _waits(attribute: Attribute, one: bool) -> list[SentencePart]:
    inside, outside = attribute.medians or (0.0, 0.0)
    return [
        _part("it spends " if one else "they spend "),
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

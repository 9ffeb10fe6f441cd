"""The parts of a message: up to five variants, and what is said once more to who has not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.campaigns.rules import LETTERS, MOST_VARIANTS, FollowUp, Plan, Variant
from core.campaigns.weights import even_weights, percents, with_percent
from ui.words import _

FOLLOW_UP = -1  # the part after the variants, which are 0 to 4


@dataclass(frozen=True)
class Part:
    """What one part says at this moment."""

    text: str
    media_id: int | None


def part_of(plan: Plan, place: int) -> Part:
    """Nothing where there is no such part any more."""
    if place == FOLLOW_UP:
        again = plan.follow_up
        return Part("", None) if again is None else Part(again.text, again.media_id)
    variants = plan.variants
    if place >= len(variants):
        return Part("", None)
    return Part(variants[place].text, variants[place].media_id)


def places_of(plan: Plan) -> list[int]:
    return [*range(len(plan.variants)), *([FOLLOW_UP] if plan.follow_up is not None else [])]


def name_of(place: int) -> str:
    return _("Follow-up") if place == FOLLOW_UP else LETTERS[place]


def with_part(plan: Plan, place: int, **values: Any) -> dict[str, Any]:
    """The fields of the plan in which this part has these values."""
    if place == FOLLOW_UP:
        return {"follow_up": replace(plan.follow_up or FollowUp(""), **values)}
    variants = list(plan.variants)
    variants[place] = replace(variants[place], **values)
    return fields_of(variants)


def fields_of(variants: Sequence[Variant]) -> dict[str, Any]:
    first, *others = variants
    return {
        "text": first.text,
        "weight": first.weight,
        "media_id": first.media_id,
        "other_variants": tuple(others),
    }


def with_one_more(plan: Plan, like: Part) -> dict[str, Any]:
    """Another variant that says what `like` does, all of them with even parts."""
    variants = [*plan.variants, Variant(like.text, media_id=like.media_id)][:MOST_VARIANTS]
    return fields_of(_weighted(variants, even_weights(len(variants))))


def without(plan: Plan, place: int) -> dict[str, Any]:
    """The others share what it had."""
    variants = [variant for n, variant in enumerate(plan.variants) if n != place]
    return fields_of(_weighted(variants, percents([variant.weight for variant in variants])))


def shared(plan: Plan, place: int, percent: int) -> dict[str, Any]:
    """One variant gets so many of a hundred."""
    return fields_of(
        _weighted(plan.variants, with_percent([variant.weight for variant in plan.variants], place, percent))
    )


def percents_of(plan: Plan) -> tuple[int, ...]:
    return percents([variant.weight for variant in plan.variants])


def _weighted(variants: Sequence[Variant], weights: Sequence[int]) -> list[Variant]:
    return [replace(variant, weight=weight) for variant, weight in zip(variants, weights, strict=True)]

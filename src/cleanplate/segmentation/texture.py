"""Whether a background's texture shows through what a frame shows there."""

from __future__ import annotations

from typing import Any, NamedTuple

SHOWN, HIDDEN = 0.45, 0.25
"""Share of the background's texture from which on it shows through, and below which something hides
it: more than half of it would be asked too much of backgrounds in which a network drew blotches of
its own, and of the hard outline of a patch of sun."""
DEVIATIONS, SURE_DEVIATIONS = 4.0, 6.0
"""How many standard deviations that share has to lie above nothing to count (for what nothing else
speaks for, the second), or below the whole."""
LEAST_TEXTURE, LEAST_HIDDEN = 0.2, 0.5
"""Power of the background's texture for each of the change's: below it nothing else than noise of
the plate may be shown, or hidden."""
LEAST_PATTERN = 0.02
"""Of a pattern that may be hidden, root of its mean square (log units): a codec wipes off what is
fainter where something moves, also in shadow."""
LEAST_PIXELS = 25
"""Of a patch that is told by its texture alone."""


class Texture(NamedTuple):
    """How much of the background's texture patches show, `(N,)` each.

    Arrays of numpy and tensors of torch are judged alike, since they are asked by operators alone.

    Attributes:
        pixels: How many there are to see.
        power: Sum of the squares of the background's texture.
        product: Sum of its products with the texture of the change.
        rest: Sum of the squares of that.
    """

    pixels: Any
    power: Any
    product: Any
    rest: Any

    def is_shown(self) -> Any:
        """Whether the texture shows through."""
        return self._shows(DEVIATIONS)

    def is_surely_shown(self) -> Any:
        """Whether it shows so clearly that nothing else has to speak for another light."""
        is_much = (self.power > LEAST_TEXTURE * self.rest) & (self.pixels >= LEAST_PIXELS)
        return self._shows(SURE_DEVIATIONS) & is_much

    def is_hidden(self) -> Any:
        """Whether something hides it."""
        is_much = (self.power > LEAST_HIDDEN * self.rest) & (
            self.power > LEAST_PATTERN**2 * self.pixels
        )
        is_less = self.product < (HIDDEN - 1) * self.power
        apart = self.product**2 * self.pixels > DEVIATIONS**2 * self.power * self.rest
        return is_much & is_less & apart

    def _shows(self, deviations: float) -> Any:
        # The share is 1 + product / power, its variance rest / (pixels * power).
        shown = self.power + self.product
        is_more = shown > SHOWN * self.power
        return is_more & (shown**2 * self.pixels > deviations**2 * self.power * self.rest)

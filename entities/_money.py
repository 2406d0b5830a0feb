"""Money, for the entities that deal in it: a Decimal with two decimal places, exact; a string in JSON."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

ZERO = Decimal("0.00")


def _in_cents(amount: Decimal) -> Decimal:
    """Return `amount` with both its decimal places, so that `5` and `5.00` are stored alike."""
    return amount.quantize(ZERO)


# The bound on the digits keeps every sum within the 28 digits in which Decimal adds without rounding.
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(_in_cents)]
PositiveMoney = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2), AfterValidator(_in_cents)]

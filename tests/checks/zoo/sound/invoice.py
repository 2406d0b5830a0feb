"""An invoice: pydantic models nested in a list, with money in Decimals that keep their cents."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from pachyderm_cli import Event, Message, Rejected

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


Money = Annotated[Decimal, Field(gt=0, max_digits=9, decimal_places=2), AfterValidator(_in_cents)]
Percent = Annotated[Decimal, Field(ge=0, le=40, decimal_places=1)]
Quantity = Annotated[int, Field(ge=1, le=999)]
Article = Annotated[str, Field(min_length=1, max_length=30)]


class AddLine(Message):
    article: Article
    price: Money
    quantity: Quantity = 1


class RemoveLine(Message):
    line: Annotated[int, Field(ge=0, le=4)]


class Discount(Message):
    percent: Percent


class Pay(Message):
    amount: Money


class LineAdded(Event):
    article: Article
    price: Money
    quantity: Quantity


class LineRemoved(Event):
    line: int


class Discounted(Event):
    percent: Percent


class Paid(Event):
    amount: Money


class Line(BaseModel):
    article: str
    price: Decimal
    quantity: int

    @property
    def total(self) -> Decimal:
        """What the line costs."""
        return self.price * self.quantity


class Invoice(BaseModel):
    lines: list[Line] = []
    percent: Decimal = Decimal(0)
    paid: Decimal = ZERO

    def due(self) -> Decimal:
        """Return what is to be paid in all."""
        gross = sum((line.total for line in self.lines), ZERO)
        return _in_cents(gross * (100 - self.percent) / 100)


InvoiceEvent = LineAdded | LineRemoved | Discounted | Paid


def init() -> Invoice:
    """Return the empty invoice."""
    return Invoice()


def invariant(state: Invoice) -> bool:
    """Whether no more is paid than is due, and every amount has its cents."""
    amounts = [state.paid, *(line.price for line in state.lines)]
    return ZERO <= state.paid <= state.due() and all(amount.as_tuple().exponent == -2 for amount in amounts)


def handle(message: AddLine | RemoveLine | Discount | Pay, state: Invoice) -> Iterator[InvoiceEvent]:
    """Change an invoice that nobody has paid yet; take no more than is due."""
    if not isinstance(message, Pay) and state.paid:
        raise Rejected("the invoice is being paid")
    match message:
        case AddLine(article=article, price=price, quantity=quantity):
            yield LineAdded(article=article, price=price, quantity=quantity)
        case RemoveLine(line=line) if line < len(state.lines):
            yield LineRemoved(line=line)
        case Discount(percent=percent):
            yield Discounted(percent=percent)
        case Pay(amount=amount) if state.paid + amount <= state.due():
            yield Paid(amount=amount)
        case _:
            raise Rejected("there is no such line, or not so much is due")


def update(event: InvoiceEvent, state: Invoice) -> Invoice:
    """Return the invoice after `event`."""
    changed = state.model_copy(deep=True)
    match event:
        case LineAdded(article=article, price=price, quantity=quantity):
            changed.lines.append(Line(article=article, price=price, quantity=quantity))
        case LineRemoved(line=line):
            del changed.lines[line]
        case Discounted(percent=percent):
            changed.percent = percent
        case Paid(amount=amount):
            changed.paid += amount
    return changed

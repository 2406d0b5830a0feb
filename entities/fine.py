"""A traffic fine, from the offence to the last payment, an appeal or the debt collectors.

Messages and events follow the activities of the *Road Traffic Fine Management Process* log (de Leoni and
Mannhardt, 2015, doi 10.4121/uuid:270fd440-1057-4fb9-89a9-b699b47990f5), one of each per activity, with every
column that the log fills for it but two: `lifecycle:transition` is always "complete", `totalPaymentAmount` is
what the fold computes (`State.paid`). `examples/fines_to_jsonl.py` turns the log into messages.

Money is a Decimal with two decimal places, exact; `at`, the time of an activity, is a datetime with its UTC
offset. What happened to a fine is a matter of record: only what cannot have been is rejected.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from entities._money import ZERO, Money, PositiveMoney
from pachyderm_cli import Event, Message, Rejected

Code = Annotated[str, Field(min_length=1, max_length=50)]


class Activity(Message):
    """Something done about the fine, at the time `at`."""

    at: AwareDatetime


class CreateFine(Activity):
    """Fine a driver under `article` of the law, `points` off the licence; `resource` is the officer."""

    number: Code
    amount: Money
    article: PositiveInt
    vehicle_class: Code
    points: NonNegativeInt = 0
    dismissal: Code = "NIL"
    resource: Code


class SendFine(Activity):
    """Post the fine; `expense` is the postage, which the offender owes as well."""

    expense: Money


class InsertFineNotification(Activity):
    """Register that the offender was notified, the way `notification_type` and `last_sent` say."""

    notification_type: Code
    last_sent: Code | None = None


class AddPenalty(Activity):
    """Raise the fine to `amount`, for want of payment."""

    amount: Money


class ReceivePayment(Activity):
    """Take one payment (the log's `Payment`)."""

    amount: PositiveMoney


class SendForCreditCollection(Activity):
    """Hand the fine over to the debt collectors."""


class InsertDateAppealToPrefecture(Activity):
    """Register the date of the offender's appeal to the prefecture."""


class SendAppealToPrefecture(Activity):
    """Send the appeal on to the prefecture."""

    dismissal: Code


class ReceiveResultAppealFromPrefecture(Activity):
    """Register the prefecture's decision."""


class NotifyResultAppealToOffender(Activity):
    """Tell the offender the prefecture's decision."""


class AppealToJudge(Activity):
    """Register an appeal to a judge."""

    dismissal: Code | None = None


class Recorded(Event):
    """Something that was done about the fine, at the time `at`."""

    at: AwareDatetime


class FineCreated(Recorded):
    """The fine came into being."""

    number: str
    amount: Money
    article: int
    vehicle_class: str
    points: int
    dismissal: str
    resource: str


class FineSent(Recorded):
    """The fine was posted, for `expense`."""

    expense: Money


class FineNotificationInserted(Recorded):
    """The offender was notified."""

    notification_type: str
    last_sent: str | None


class PenaltyAdded(Recorded):
    """The fine became `amount`."""

    amount: Money


class PaymentReceived(Recorded):
    """`amount` was paid."""

    amount: Money


class SentForCreditCollection(Recorded):
    """The debt collectors took over."""


class DateAppealToPrefectureInserted(Recorded):
    """The offender's appeal to the prefecture was dated."""


class AppealToPrefectureSent(Recorded):
    """The prefecture was sent the appeal."""

    dismissal: str


class ResultAppealFromPrefectureReceived(Recorded):
    """The prefecture decided."""


class ResultAppealToOffenderNotified(Recorded):
    """The offender was told the decision."""


class AppealedToJudge(Recorded):
    """The offender appealed to a judge."""

    dismissal: str | None


FineMessage = (
    CreateFine
    | SendFine
    | InsertFineNotification
    | AddPenalty
    | ReceivePayment
    | SendForCreditCollection
    | InsertDateAppealToPrefecture
    | SendAppealToPrefecture
    | ReceiveResultAppealFromPrefecture
    | NotifyResultAppealToOffender
    | AppealToJudge
)
FineEvent = (
    FineCreated
    | FineSent
    | FineNotificationInserted
    | PenaltyAdded
    | PaymentReceived
    | SentForCreditCollection
    | DateAppealToPrefectureInserted
    | AppealToPrefectureSent
    | ResultAppealFromPrefectureReceived
    | ResultAppealToOffenderNotified
    | AppealedToJudge
)


# Every event records what its message says, field by field.
RECORDED_AS: dict[type[FineMessage], type[FineEvent]] = {
    CreateFine: FineCreated,
    SendFine: FineSent,
    InsertFineNotification: FineNotificationInserted,
    AddPenalty: PenaltyAdded,
    ReceivePayment: PaymentReceived,
    SendForCreditCollection: SentForCreditCollection,
    InsertDateAppealToPrefecture: DateAppealToPrefectureInserted,
    SendAppealToPrefecture: AppealToPrefectureSent,
    ReceiveResultAppealFromPrefecture: ResultAppealFromPrefectureReceived,
    NotifyResultAppealToOffender: ResultAppealToOffenderNotified,
    AppealToJudge: AppealedToJudge,
}

Status = Literal["not created", "created", "sent", "notified", "penalised", "in collection"]
Appeal = Literal["none", "dated", "sent", "decided", "notified", "before a judge"]


class State(BaseModel):
    """The fine as it stands.

    `amount` is what the offence costs now, `penalty` the part of it that was added for late payment; the
    offender owes `amount` and `expenses`, and has `paid` so much. `status` and `appeal` are the last steps of
    the procedure and of an appeal, which go on side by side, each with its time.
    """

    model_config = ConfigDict(frozen=True)

    status: Status = "not created"
    status_at: AwareDatetime | None = None
    appeal: Appeal = "none"
    appeal_at: AwareDatetime | None = None
    number: str | None = None
    created_at: AwareDatetime | None = None
    amount: Decimal = ZERO
    penalty: Decimal = ZERO
    expenses: Decimal = ZERO
    paid: Decimal = ZERO
    article: int | None = None
    vehicle_class: str | None = None
    points: int = 0
    dismissal: str | None = None
    resource: str | None = None
    notification_type: str | None = None
    last_sent: str | None = None


def init() -> State:
    """Return the fine before it is created."""
    return State()


def handle(message: FineMessage, state: State) -> Iterator[FineEvent]:
    """Record the activity. Rejected: creating twice, anything before the creation, a penalty that lowers."""
    if isinstance(message, CreateFine):
        if state.created_at is not None:
            raise Rejected(f"fine {state.number} has already been created")
    elif state.created_at is None:
        raise Rejected("the fine has not been created yet")
    elif message.at < state.created_at:
        raise Rejected(f"{message.at} is before fine {state.number} was created, at {state.created_at}")
    elif isinstance(message, AddPenalty) and message.amount < state.amount:
        raise Rejected(f"a penalty cannot lower fine {state.number} from {state.amount} to {message.amount}")
    yield RECORDED_AS[type(message)](**dict(message))


def update(event: FineEvent, state: State) -> State:
    """Return the fine after `event`."""
    match event:
        case FineCreated(at=at):
            return _with(state, status="created", status_at=at, created_at=at, **event.model_dump(exclude={"at"}))
        case FineSent(at=at, expense=expense):
            return _with(state, status="sent", status_at=at, expenses=state.expenses + expense)
        case FineNotificationInserted(at=at, notification_type=way, last_sent=last_sent):
            return _with(state, status="notified", status_at=at, notification_type=way, last_sent=last_sent)
        case PenaltyAdded(at=at, amount=amount):
            penalty = state.penalty + amount - state.amount
            return _with(state, status="penalised", status_at=at, amount=amount, penalty=penalty)
        case PaymentReceived(amount=amount):
            return _with(state, paid=state.paid + amount)
        case SentForCreditCollection(at=at):
            return _with(state, status="in collection", status_at=at)
        case DateAppealToPrefectureInserted(at=at):
            return _with(state, appeal="dated", appeal_at=at)
        case AppealToPrefectureSent(at=at, dismissal=dismissal):
            return _with(state, appeal="sent", appeal_at=at, dismissal=dismissal)
        case ResultAppealFromPrefectureReceived(at=at):
            return _with(state, appeal="decided", appeal_at=at)
        case ResultAppealToOffenderNotified(at=at):
            return _with(state, appeal="notified", appeal_at=at)
        case AppealedToJudge(at=at, dismissal=by_judge):
            word = by_judge or state.dismissal
            return _with(state, appeal="before a judge", appeal_at=at, dismissal=word)


def _with(state: State, **changes: object) -> State:
    """Return `state` with `changes` made to it."""
    return state.model_copy(update=changes)

"""The fine: what it records and refuses, how it folds, and that its sums are exact."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import reduce
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entities import fine
from entities.fine import RECORDED_AS, FineEvent, FineMessage, State, handle, init, update
from pachyderm_cli import Rejected

CREATED_AT = datetime(2006, 7, 12, tzinfo=timezone(timedelta(hours=2)))
CREATE = fine.CreateFine(
    at=CREATED_AT,
    number="S106046",
    amount=Decimal("35.00"),
    article=157,
    vehicle_class="A",
    points=2,
    dismissal="NIL",
    resource="52",
)


def recorded(message: FineMessage) -> FineEvent:
    """Return the event that records `message`, whether handle would accept it or not."""
    return RECORDED_AS[type(message)](**dict(message))


money = st.decimals(min_value="0.00", max_value="9999999999.99", places=2)
payments = st.decimals(min_value="0.01", max_value="9999999999.99", places=2)
codes = st.text(min_size=1, max_size=10)
# JSON writes offsets in whole minutes.
zones = st.integers(min_value=-23 * 60, max_value=23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(timezones=zones)
creations = st.builds(
    fine.CreateFine,
    at=times,
    number=codes,
    amount=money,
    article=st.integers(min_value=1),
    vehicle_class=codes,
    points=st.integers(min_value=0),
    dismissal=codes,
    resource=codes,
)
activities: st.SearchStrategy[FineMessage] = st.one_of(
    st.builds(fine.SendFine, at=times, expense=money),
    st.builds(fine.InsertFineNotification, at=times, notification_type=codes, last_sent=st.none() | codes),
    st.builds(fine.AddPenalty, at=times, amount=money),
    st.builds(fine.ReceivePayment, at=times, amount=payments),
    st.builds(fine.SendForCreditCollection, at=times),
    st.builds(fine.InsertDateAppealToPrefecture, at=times),
    st.builds(fine.SendAppealToPrefecture, at=times, dismissal=codes),
    st.builds(fine.ReceiveResultAppealFromPrefecture, at=times),
    st.builds(fine.NotifyResultAppealToOffender, at=times),
    st.builds(fine.AppealToJudge, at=times, dismissal=st.none() | codes),
)
messages = st.one_of(creations, activities)
events: st.SearchStrategy[FineEvent] = messages.map(recorded)


def folded(history: Iterable[FineEvent], state: State | None = None) -> State:
    """Return the state after `history`."""
    return reduce(lambda before, event: update(event, before), history, state or init())


def sent(history: Iterable[FineMessage]) -> State:
    """Return the state after messages that are all accepted."""
    return reduce(lambda state, message: folded(handle(message, state), state), history, init())


def later(days: int) -> datetime:
    """Return the time so many days after the fine was created."""
    return CREATED_AT + timedelta(days=days)


def test_a_fine_goes_through_the_whole_procedure() -> None:
    """Expenses add up, a penalty replaces the amount, payments add up, and the status is the last step."""
    state = sent(
        [
            CREATE,
            fine.SendFine(at=later(145), expense=Decimal("11.00")),
            fine.InsertFineNotification(at=later(166), notification_type="P", last_sent="N"),
            fine.ReceivePayment(at=later(200), amount=Decimal("49.25")),
            fine.AddPenalty(at=later(226), amount=Decimal("71.50")),
            fine.SendForCreditCollection(at=later(300)),
            fine.ReceivePayment(at=later(358), amount=Decimal("33.25")),
        ]
    )
    assert state == State(
        status="in collection",
        status_at=later(300),
        created_at=CREATED_AT,
        number="S106046",
        amount=Decimal("71.50"),
        penalty=Decimal("36.50"),
        expenses=Decimal("11.00"),
        paid=Decimal("82.50"),
        article=157,
        vehicle_class="A",
        points=2,
        dismissal="NIL",
        resource="52",
        notification_type="P",
        last_sent="N",
    )


@pytest.mark.parametrize(
    ("message", "appeal", "dismissal"),
    [
        (fine.InsertDateAppealToPrefecture(at=later(1)), "dated", "NIL"),
        (fine.SendAppealToPrefecture(at=later(1), dismissal="#"), "sent", "#"),
        (fine.ReceiveResultAppealFromPrefecture(at=later(1)), "decided", "NIL"),
        (fine.NotifyResultAppealToOffender(at=later(1)), "notified", "NIL"),
        (fine.AppealToJudge(at=later(1), dismissal="G"), "before a judge", "G"),
        (fine.AppealToJudge(at=later(1)), "before a judge", "NIL"),
    ],
)
def test_an_appeal_goes_on_beside_the_procedure(message: FineMessage, appeal: str, dismissal: str) -> None:
    """A step of an appeal is dated, may say how the fine was dismissed, and leaves the status as it is."""
    state = sent([CREATE, message])
    assert (state.appeal, state.appeal_at, state.dismissal) == (appeal, later(1), dismissal)
    assert (state.status, state.status_at) == ("created", CREATED_AT)


@pytest.mark.parametrize(
    ("before", "message", "reason"),
    [
        ([CREATE], CREATE, "fine S106046 has already been created"),
        ([], fine.SendFine(at=CREATED_AT, expense=Decimal(1)), "the fine has not been created yet"),
        (
            [CREATE],
            fine.ReceivePayment(at=later(-1), amount=Decimal(1)),
            "2006-07-11 00:00:00+02:00 is before fine S106046 was created, at 2006-07-12 00:00:00+02:00",
        ),
        (
            [CREATE],
            fine.AddPenalty(at=later(1), amount=Decimal("34.99")),
            "a penalty cannot lower fine S106046 from 35.00 to 34.99",
        ),
    ],
    ids=["created twice", "not created", "before the creation", "lowering penalty"],
)
def test_what_cannot_have_been_is_rejected(before: list[FineMessage], message: FineMessage, reason: str) -> None:
    """A second creation, anything before the first, and a penalty that lowers the fine are rejected."""
    with pytest.raises(Rejected) as caught:
        list(handle(message, sent(before)))
    assert caught.value.reason == reason


def test_times_are_compared_as_moments() -> None:
    """What happened at the moment of the creation is accepted, whatever offset the time is written in."""
    same_moment = fine.ReceivePayment(at=CREATED_AT.astimezone(UTC), amount=Decimal(1))
    assert sent([CREATE, same_moment]).paid == 1


@pytest.mark.parametrize(
    "wrong",
    [{"at": "2006-07-12T00:00:00"}, {"amount": "-1"}, {"amount": "0.001"}, {"points": -1}, {"article": 0}],
    ids=["time without offset", "negative amount", "fraction of a cent", "negative points", "article 0"],
)
def test_a_fine_is_not_created_from_nonsense(wrong: dict[str, object]) -> None:
    """Times have an offset, amounts are whole cents, points and articles are counted."""
    with pytest.raises(ValidationError):
        fine.CreateFine.model_validate({**CREATE.model_dump(), **wrong})


def test_every_message_has_an_event_of_its_own() -> None:
    """The table from messages to events has every message and every event once."""
    assert set(RECORDED_AS) == set(get_args(FineMessage))
    assert sorted(event.__name__ for event in RECORDED_AS.values()) == sorted(
        event.__name__ for event in get_args(FineEvent)
    )


@given(creations)
def test_a_creation_is_in_the_state_as_it_was_sent(message: fine.CreateFine) -> None:
    """Every field of CreateFine can be read off the new fine."""
    state = sent([message])
    assert state.created_at == message.at
    assert message.model_dump(exclude={"at"}).items() <= state.model_dump().items()


@given(activities)
def test_nothing_happens_to_a_fine_before_it_is_created(message: FineMessage) -> None:
    """Whatever is sent first, other than CreateFine, is rejected."""
    with pytest.raises(Rejected):
        list(handle(message, init()))


@given(st.lists(messages, max_size=20))
def test_an_accepted_message_is_recorded_whole(history: list[FineMessage]) -> None:
    """An accepted message becomes one event, with all of its fields and no other."""
    state = init()
    for message in [CREATE, *history]:
        try:
            emitted = list(handle(message, state))
        except Rejected:
            continue
        assert [dict(event) for event in emitted] == [dict(message)]
        state = folded(emitted, state)


@given(st.lists(events, max_size=30))
def test_sums_are_exact_in_any_order(history: list[FineEvent]) -> None:
    """Paid and expenses are the sums of their events, whatever happened in between."""
    state = folded(history)
    assert state.paid == sum(e.amount for e in history if isinstance(e, fine.PaymentReceived))
    assert state.expenses == sum(e.expense for e in history if isinstance(e, fine.FineSent))


@given(creations, st.lists(activities, max_size=20))
def test_the_penalty_is_what_was_added_to_the_amount(creation: fine.CreateFine, history: list[FineMessage]) -> None:
    """The amount less the penalty is what the fine was created with."""
    state = folded(recorded(message) for message in [creation, *history])
    assert state.amount - state.penalty == creation.amount


@given(events)
def test_an_event_comes_back_from_json(event: FineEvent) -> None:
    """An event that is written as JSON and read again is the same, down to cents and offset."""
    text = event.model_dump_json()
    again = type(event).model_validate_json(text)
    assert (again, again.model_dump_json()) == (event, text)


@given(st.lists(events, max_size=10))
def test_the_state_comes_back_from_json(history: list[FineEvent]) -> None:
    """A state that is written as JSON and read again is the same state."""
    state = folded(history)
    assert State.model_validate_json(state.model_dump_json()) == state

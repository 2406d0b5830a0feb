"""The account: what it accepts and refuses, and that its money is exact."""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entities.account import (
    AccountEvent,
    AccountMessage,
    CanPay,
    Close,
    Closed,
    Deposit,
    Deposited,
    Give,
    Given,
    Open,
    Opened,
    Settle,
    State,
    Take,
    Taken,
    TransferredIn,
    TransferredOut,
    TransferSettled,
    Withdraw,
    Withdrawn,
    handle,
    init,
    query,
    update,
)
from pachyderm_cli import Event, Reference, Rejected, Send

ONE, OTHER = UUID("11111111-1111-4111-8111-111111111111"), UUID("22222222-2222-4222-8222-222222222222")
TO_ONE = Reference("transfer", ONE)

OPEN = State(status="open", owner="Ada", balance=Decimal("10.00"))
EMPTY = State(status="open", owner="Ada", balance=Decimal("0.00"))
UNSETTLED = State(status="open", owner="Ada", balance=Decimal("0.00"), unsettled=(ONE,))
CLOSED = State(status="closed", owner="Ada", balance=Decimal("0.00"))

amounts = st.decimals(min_value="0.01", max_value="9999999999.99", places=2)
small_amounts = st.decimals(min_value="0.01", max_value="5.00", places=2)
owners = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() != "")
transfers = st.sampled_from([ONE, OTHER])
events = st.one_of(
    st.builds(TransferredOut, amount=amounts, transfer=transfers),
    st.builds(TransferredIn, amount=amounts, transfer=transfers),
    st.builds(TransferSettled, transfer=transfers),
    st.builds(Opened, owner=st.text()),
    st.builds(Deposited, amount=amounts),
    st.builds(Withdrawn, amount=amounts),
    st.builds(Closed),
)


def messages_of(amount: st.SearchStrategy[Decimal]) -> st.SearchStrategy[AccountMessage]:
    """Return a strategy of messages in which money is as `amount` has it."""
    return st.one_of(
        st.builds(Open, owner=owners),
        st.builds(Deposit, amount=amount),
        st.builds(Withdraw, amount=amount),
        st.builds(Close),
        st.builds(Take, amount=amount, transfer=transfers),
        st.builds(Give, amount=amount, transfer=transfers),
        st.builds(Settle, transfer=transfers),
    )


# Small amounts, so that withdrawals come to nothing as often as not; an account that is mostly opened first.
histories = st.builds(
    lambda first, rest: [*first, *rest],
    st.sampled_from([[Open(owner="Ada")], []]),
    st.lists(messages_of(st.one_of(small_amounts, amounts)), max_size=30),
)


def folded(history: Iterable[AccountEvent], state: State | None = None) -> State:
    """Return the state after `history`."""
    return reduce(lambda before, event: update(event, before), history, state or init())


def accepted(messages: Iterable[AccountMessage]) -> tuple[State, list[AccountEvent]]:
    """Send `messages`, going on after those that are rejected; return the last state and all events."""
    state, history = init(), []
    for message in messages:
        try:
            emitted = [each for each in handle(message, state) if isinstance(each, Event)]
        except Rejected:
            continue
        state = folded(emitted, state)
        history += emitted
    return state, history


def sum_of(history: Iterable[AccountEvent]) -> Decimal:
    """Return the sum of what the events brought in, less what they took out."""
    result = Decimal("0.00")
    for event in history:
        if isinstance(event, Deposited | TransferredIn):
            result += event.amount
        elif isinstance(event, Withdrawn | TransferredOut):
            result -= event.amount
    return result


@pytest.mark.parametrize(
    ("message", "state", "event"),
    [
        (Open(owner="Ada"), init(), Opened(owner="Ada")),
        (Deposit(amount=Decimal("0.01")), OPEN, Deposited(amount=Decimal("0.01"))),
        (Withdraw(amount=Decimal("3.50")), OPEN, Withdrawn(amount=Decimal("3.50"))),
        (Withdraw(amount=Decimal("10.00")), OPEN, Withdrawn(amount=Decimal("10.00"))),
        (Close(), EMPTY, Closed()),
        (Settle(transfer=ONE), UNSETTLED, TransferSettled(transfer=ONE)),
    ],
)
def test_what_makes_sense_is_accepted(message: AccountMessage, state: State, event: AccountEvent) -> None:
    """Each message that fits the state becomes the one event of its kind."""
    assert list(handle(message, state)) == [event]


def test_a_transfer_is_told_what_it_was_given_and_what_was_taken() -> None:
    """Money goes out and in for a transfer with an answer to it; what it does not want to have taken comes back."""
    take, give = Take(amount=Decimal(5), transfer=ONE), Give(amount=Decimal(5), transfer=ONE)
    assert list(handle(take, OPEN)) == [
        TransferredOut(amount=Decimal(5), transfer=ONE),
        Send(to=TO_ONE, message=Taken(), on_rejected=give),
    ]
    assert list(handle(give, OPEN)) == [
        TransferredIn(amount=Decimal(5), transfer=ONE),
        Send(to=TO_ONE, message=Given()),
    ]


def test_a_transfer_is_unsettled_until_it_gives_back_or_settles() -> None:
    """An account knows which transfers have taken of it, each until it gives the money back or settles."""
    out = [TransferredOut(amount=Decimal(5), transfer=transfer) for transfer in (ONE, OTHER)]
    state = folded(out, OPEN)
    assert state.unsettled == (ONE, OTHER)
    assert update(TransferSettled(transfer=ONE), state).unsettled == (OTHER,)
    assert update(TransferredIn(amount=Decimal(5), transfer=OTHER), state).unsettled == (ONE,)
    assert update(TransferredIn(amount=Decimal(5), transfer=OTHER), OPEN).unsettled == ()


def test_a_transfer_settles_once() -> None:
    """A transfer that the account does not know, or no longer, leads to nothing."""
    assert list(handle(Settle(transfer=OTHER), UNSETTLED)) == []


@pytest.mark.parametrize(
    ("message", "state", "reason"),
    [
        (Withdraw(amount=Decimal("10.01")), OPEN, "cannot withdraw 10.01: the balance is 10.00"),
        (Withdraw(amount=Decimal(5)), EMPTY, "cannot withdraw 5.00: the balance is 0.00"),
        (Close(), OPEN, "cannot close the account: it still holds 10.00"),
        (Open(owner="Bob"), OPEN, "cannot open the account again: it was opened for Ada"),
        (Open(owner="Bob"), CLOSED, "cannot open the account again: it was opened for Ada"),
        (Deposit(amount=Decimal(1)), init(), "the account has not been opened yet"),
        (Withdraw(amount=Decimal(1)), init(), "the account has not been opened yet"),
        (Close(), init(), "the account has not been opened yet"),
        (Deposit(amount=Decimal(1)), CLOSED, "the account is closed"),
        (Withdraw(amount=Decimal(1)), CLOSED, "the account is closed"),
        (Close(), CLOSED, "the account is closed"),
        (Close(), UNSETTLED, f"cannot close the account: transfer {ONE} has not settled"),
        (Take(amount=Decimal(1), transfer=ONE), UNSETTLED, f"transfer {ONE} has its money already"),
        (Take(amount=Decimal(11), transfer=ONE), OPEN, "cannot withdraw 11.00: the balance is 10.00"),
        (Take(amount=Decimal(1), transfer=ONE), init(), "the account has not been opened yet"),
        (Give(amount=Decimal(1), transfer=ONE), init(), "the account has not been opened yet"),
        (Give(amount=Decimal(1), transfer=ONE), CLOSED, "the account is closed"),
    ],
)
def test_what_makes_no_sense_is_rejected_with_the_reason(message: AccountMessage, state: State, reason: str) -> None:
    """A message that does not fit the state is rejected, and the reason names the amounts or the owner."""
    with pytest.raises(Rejected) as caught:
        list(handle(message, state))
    assert caught.value.reason == reason


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10000000000", "NaN", "Infinity", "ten"])
def test_an_amount_is_positive_whole_cents_of_a_bounded_size(amount: str) -> None:
    """No message takes an amount that is not above 0, finer than a cent, or of more than twelve digits."""
    with pytest.raises(ValidationError):
        Deposit.model_validate({"amount": amount})
    with pytest.raises(ValidationError):
        Withdraw.model_validate({"amount": amount})


@pytest.mark.parametrize("amount", ["5.0", "5.00", "5.000", 5])
def test_equal_amounts_are_stored_alike(amount: object) -> None:
    """However an amount is written, it has two decimal places and is a string in JSON."""
    assert Deposit.model_validate({"amount": amount}).model_dump_json() == '{"amount":"5.00"}'


@pytest.mark.parametrize("owner", ["", "  ", "x" * 201])
def test_an_owner_has_a_name(owner: str) -> None:
    """An account is not opened for nobody, nor for a name of more than 200 characters."""
    with pytest.raises(ValidationError):
        Open(owner=owner)


@given(histories)
def test_the_balance_is_what_came_in_less_what_went_out_and_never_negative(messages: list[AccountMessage]) -> None:
    """After every event the balance is exactly what came in less what went out, and not below 0."""
    _, history = accepted(messages)
    for length in range(len(history) + 1):
        state = folded(history[:length])
        assert state.balance == sum_of(history[:length])
        assert state.balance >= 0


@given(histories)
def test_an_account_opens_first_and_closes_last(messages: list[AccountMessage]) -> None:
    """A history begins with its only Opened; a Closed can only be its end, with nothing left inside."""
    state, history = accepted(messages)
    assert [i for i, event in enumerate(history) if isinstance(event, Opened)] == ([0] if history else [])
    closings = [i for i, event in enumerate(history) if isinstance(event, Closed)]
    assert closings in ([], [len(history) - 1])
    assert not closings or (state.status == "closed" and state.balance == 0 and not state.unsettled)


@given(st.lists(amounts, max_size=20))
def test_what_was_paid_in_can_be_taken_out_to_the_cent(paid_in: list[Decimal]) -> None:
    """Withdrawing every deposit again leaves exactly nothing, so the account can be closed."""
    deposits = [Deposit(amount=amount) for amount in paid_in]
    withdrawals = [Withdraw(amount=amount) for amount in reversed(paid_in)]
    state, history = accepted([Open(owner="Ada"), *deposits, *withdrawals, Close()])
    assert len(history) == 2 * len(paid_in) + 2
    assert state == CLOSED


@given(st.lists(events, max_size=20))
def test_any_events_fold(history: list[AccountEvent]) -> None:
    """Update takes its events in any order, also such as handle would not have let happen."""
    assert folded(history).balance == sum_of(history)


def test_what_was_stored_before_there_were_transfers_folds() -> None:
    """An event or a state of an account that no transfer knew of is read as it always was."""
    stored: list[AccountEvent] = [
        Opened.model_validate_json('{"owner":"Ada"}'),
        Deposited.model_validate_json('{"amount":"10.00"}'),
        Withdrawn.model_validate_json('{"amount":"3.50"}'),
    ]
    state = State.model_validate_json('{"status":"open","owner":"Ada","balance":"6.50"}')
    assert folded(stored) == state
    assert [each.model_dump_json() for each in stored[1:]] == ['{"amount":"10.00"}', '{"amount":"3.50"}']


@given(events)
def test_an_event_comes_back_from_json(event: AccountEvent) -> None:
    """An event that is written as JSON and read again is the same, to the last decimal place."""
    text = event.model_dump_json()
    again = type(event).model_validate_json(text)
    assert (again, again.model_dump_json()) == (event, text)


@given(st.lists(events, max_size=10))
def test_the_state_comes_back_from_json(history: list[AccountEvent]) -> None:
    """A state that is written as JSON and read again is the same state."""
    state = folded(history)
    assert State.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize(
    ("state", "amount", "expected"),
    [
        (OPEN, "10.00", True),
        (OPEN, "10.01", False),
        (EMPTY, "0.01", False),
        (CLOSED, "0.01", False),
        (init(), "1", False),
    ],
)
def test_it_tells_whether_it_can_pay(state: State, amount: str, *, expected: bool) -> None:
    """An open account can pay what it holds, and no more; any other can pay nothing."""
    assert query(CanPay(amount=Decimal(amount)), state) is expected

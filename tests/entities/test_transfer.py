"""The transfer: each of its steps, and that in whatever order these come no money is made or lost."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple, get_args
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from entities import account, transfer
from entities.account import Close, Deposit, Give, Given, Open, Settle, Take, Taken, Withdraw
from entities.transfer import (
    PATIENCE,
    Completed,
    GivenUp,
    GiveUp,
    MoneyTaken,
    NotGiven,
    NotTaken,
    Refunded,
    SourceRefused,
    Start,
    Started,
    State,
    Status,
    TargetRefused,
    TransferEvent,
    TransferMessage,
    handle,
    init,
    update,
)
from pachyderm_cli import CancelTimer, Context, Effect, Message, Reference, Rejected, Send, Timer
from pachyderm_cli.domain.protocol import read_entity

TYPES = {"account": read_entity("account", account), "transfer": read_entity("transfer", transfer)}
SPACE = UUID("5a3b1c5e-7d0d-4b53-9d6f-5a5f3a0c2f10")
ME = uuid5(SPACE, "transfer")
ADA, BOB, EVE = (f"account:@{name}" for name in ("ada", "bob", "eve"))
ADA_BY_ID = f"account:{uuid5(SPACE, ADA)}"
AMOUNT = Decimal("4.00")
START = Start(source=ADA, target=BOB, amount=AMOUNT, patience=timedelta(seconds=9))
STATUSES: tuple[Status, ...] = get_args(Status)
ENDS = {"completed", "refused", "refunded"}


def context(identifier: UUID = ME) -> Context:
    """Return what a transfer of that id knows beside message and state."""
    return Context(datetime(2026, 11, 23, tzinfo=UTC), SPACE, Reference("transfer", identifier), 0)


def at(status: Status) -> State:
    """Return the transfer at that status."""
    return init() if status == "unstarted" else State(status=status, source=ADA, target=BOB, amount=AMOUNT)


BACK = Send(to=ADA, message=Give(amount=AMOUNT, transfer=ME))
STEPS: dict[tuple[Status, TransferMessage], tuple[Status, TransferEvent, list[Effect]]] = {
    ("unstarted", START): (
        "taking",
        Started(source=ADA, target=BOB, amount=AMOUNT),
        [
            Send(to=ADA, message=Take(amount=AMOUNT, transfer=ME), on_rejected=NotTaken()),
            Timer(PATIENCE, after=timedelta(seconds=9), message=GiveUp()),
        ],
    ),
    ("taking", Taken()): (
        "giving",
        MoneyTaken(),
        [
            CancelTimer(PATIENCE),
            Send(to=BOB, message=Give(amount=AMOUNT, transfer=ME), on_rejected=NotGiven()),
        ],
    ),
    ("taking", NotTaken()): ("refused", SourceRefused(), [CancelTimer(PATIENCE)]),
    ("taking", GiveUp()): ("giving up", GivenUp(), [CancelTimer(PATIENCE)]),
    ("giving up", Taken()): ("refunding", MoneyTaken(), [BACK]),
    ("giving up", NotTaken()): ("refused", SourceRefused(), []),
    ("giving", Given()): ("completed", Completed(), [Send(to=ADA, message=Settle(transfer=ME))]),
    ("giving", NotGiven()): ("refunding", TargetRefused(), [BACK]),
    ("refunding", Given()): ("refunded", Refunded(), []),
}
MESSAGES: tuple[TransferMessage, ...] = (START, GiveUp(), Taken(), NotTaken(), Given(), NotGiven())


@pytest.mark.parametrize(("status", "message"), STEPS, ids=str)
def test_each_step(status: Status, message: TransferMessage) -> None:
    """What a transfer waits for takes it to the next status, and sends what comes next."""
    after, event, effects = STEPS[status, message]
    assert list(handle(message, at(status), context())) == [event, *effects]
    assert update(event, at(status)) == at(after)


@pytest.mark.parametrize(
    ("status", "message"), [pair for pair in product(STATUSES, MESSAGES) if pair not in STEPS], ids=str
)
def test_what_it_does_not_wait_for_is_rejected(status: Status, message: TransferMessage) -> None:
    """A second start, a repeated answer, giving up too late: rejected, and the reason names the status."""
    with pytest.raises(Rejected) as caught:
        list(handle(message, at(status), context()))
    assert caught.value.reason == f"a transfer that is {status} takes no {type(message).__name__}"


def test_a_transfer_has_two_accounts() -> None:
    """Money is not moved from an account to itself."""
    start = START.model_copy(update={"target": ADA})
    with pytest.raises(Rejected, match="the source and the target are one account"):
        list(handle(start, init(), context()))


@pytest.mark.parametrize(
    "reference",
    [
        "ada",
        "@ada",
        "account:ada",
        "account:@",
        "account:@a\n",
        "account:@a\x00",
        "account:517d",
        "account:new",
        "x:@a",
    ],
)
def test_an_account_is_named_as_a_whole(reference: str) -> None:
    """What might be no account, or might mean several, is refused before anything is written."""
    with pytest.raises(ValidationError, match=r"write account:@NAME, or account:ID with the whole id"):
        Start(source=ADA, target=reference, amount=AMOUNT)


@pytest.mark.parametrize("field", [{"amount": "0"}, {"amount": "0.001"}, {"patience": "-PT1S"}, {"patience": "P366D"}])
def test_amount_and_patience_are_within_bounds(field: dict[str, str]) -> None:
    """An amount is positive and in whole cents; patience is a time from none at all to a year."""
    with pytest.raises(ValidationError):
        Start.model_validate({"source": ADA, "target": BOB, "amount": "1", **field})


class Parcel(NamedTuple):
    """A message on its way, as the outbox would hold it."""

    sender: str
    to: str
    message: Message
    on_rejected: Message | None = None


class World:
    """Accounts, transfers, and what is on its way between them: delivered one at a time, in any order."""

    def __init__(self, balances: dict[str, int]) -> None:
        """Open accounts with so much in each."""
        self.states: dict[str, Any] = {}
        self.parcels: list[Parcel] = []
        self.timers: dict[str, Parcel] = {}
        self.delivered: list[Parcel] = []
        self.paid: dict[str, Decimal] = {}  # into each account by hand, less what was paid out
        for name, balance in balances.items():
            self.send(by_id(name), Open(owner=name))
            self.send(by_id(name), Deposit(amount=Decimal(balance)))

    def all(self, kind: str) -> dict[str, Any]:
        """Return the states of all entities of a type."""
        return {key: state for key, state in self.states.items() if key.startswith(f"{kind}:")}

    def send(self, to: str, message: Message) -> None:
        """Let the receiver handle the message at once. Raises Rejected."""
        kind, _, identifier = to.partition(":")
        receiver = TYPES[kind]
        state = self.states.get(to, receiver.initial())
        decision = receiver.decide(message, state, context(UUID(identifier)))
        for event in decision.events:
            state = self.states[to] = receiver.apply(state, event, 1)
        for effect in decision.effects:
            match effect:
                case Send():
                    self.parcels.append(Parcel(to, by_id(str(effect.to)), effect.message, effect.on_rejected))
                case Timer():
                    self.timers[to] = Parcel(to, to, effect.message)
                case CancelTimer():
                    self.timers.pop(to, None)
        match message:
            case Deposit(amount=amount):
                self.paid[to] = self.paid.get(to, Decimal(0)) + amount
            case Withdraw(amount=amount):
                self.paid[to] -= amount

    def deliver(self, number: int) -> None:
        """Deliver one of the parcels and timers that are on their way."""
        waiting = [*self.parcels, *self.timers.values()]
        if not waiting:
            return
        at = number % len(waiting)
        parcel = waiting[at]
        if at < len(self.parcels):
            del self.parcels[at]
        else:
            del self.timers[parcel.to]
        self.delivered.append(parcel)
        try:
            self.send(parcel.to, parcel.message)
        except Rejected:
            if parcel.on_rejected is not None:
                self.parcels.append(Parcel(parcel.to, parcel.sender, parcel.on_rejected))

    def deliver_all(self) -> None:
        """Deliver what is on its way and what that leads to; no timer comes in time."""
        while self.parcels:
            self.deliver(0)

    def on_its_way(self) -> Decimal:
        """Return how much money is in no account: some messages stand for it."""
        return sum((self._carried(parcel) for parcel in self.parcels), Decimal(0))

    def _carried(self, parcel: Parcel) -> Decimal:
        match parcel.message:
            case Give(amount=amount):
                return amount
            case Taken() | NotGiven():
                held: Decimal = self.states[parcel.to].amount
                return held
        return Decimal(0)


def by_id(reference: str) -> str:
    """Return the reference with the id that a name stands for."""
    return f"account:{uuid5(SPACE, reference)}" if reference.startswith("account:@") else reference


accounts = st.sampled_from([ADA, BOB, EVE, ADA_BY_ID])
small = st.integers(1, 3).map(Decimal)
numbers = st.integers(0, 20)
by_hand = st.one_of(st.builds(Deposit, amount=small), st.builds(Withdraw, amount=small), st.builds(Close))
starts = st.builds(Start, source=accounts, target=accounts, amount=small)
deliveries = st.tuples(st.just("deliver"), numbers)
moves = st.one_of(
    deliveries,
    deliveries,
    st.tuples(st.just("start"), starts),
    st.tuples(st.just("again"), numbers),
    st.tuples(st.just("give up"), numbers),
    st.tuples(accounts, by_hand),
)
# Three transfers at least, so that most of what comes then finds one on its way.
histories = st.builds(
    lambda first, rest: [*first, *rest],
    st.lists(st.tuples(st.just("start"), starts), min_size=3, max_size=3),
    st.lists(moves, min_size=10, max_size=40),
)
Move = tuple[str, int | Message]


def make(move: Move, world: World) -> None:
    """Make a move: something is sent by hand, or what is on its way arrives. Raises Rejected."""
    transfers = sorted(world.all("transfer"))
    to_transfers = [each for each in world.delivered if each.to in transfers]
    match move:
        case "start", Start() as start:
            world.send(f"transfer:{uuid5(SPACE, str(len(transfers)))}", start)
        case "deliver", int(number):
            world.deliver(number)
        case "again", int(number) if to_transfers:
            again = to_transfers[number % len(to_transfers)]
            world.send(again.to, again.message)
        case "give up", int(number) if transfers:
            world.send(transfers[number % len(transfers)], GiveUp())
        case name, Message() as message:
            world.send(by_id(name), message)


def made(moves: list[Move]) -> Iterator[World]:
    """Make moves in a world of three accounts, one of them not opened; yield it before the first and after each."""
    world = World({ADA: 3, BOB: 2})
    yield world
    for move in moves:
        with suppress(Rejected):
            make(move, world)
        yield world


@given(histories)
def test_no_money_is_made_or_lost(moves: list[Move]) -> None:
    """At every moment all money is in an account or on its way, whatever comes when, comes again, or is given up."""
    for world in made(moves):
        balances = [each.balance for each in world.all("account").values()]
        assert sum(balances) + world.on_its_way() == sum(world.paid.values())
        assert min(balances) >= 0


@given(histories)
def test_every_transfer_comes_to_an_end(moves: list[Move]) -> None:
    """Once all is delivered, each transfer has moved its money or none, and no account or timer waits for it."""
    *_, world = made(moves)
    world.deliver_all()
    expected = dict(world.paid)
    for each in world.all("transfer").values():
        assert each.status in ENDS
        if each.status == "completed":
            expected[by_id(each.source)] -= each.amount
            expected[by_id(each.target)] += each.amount
    assert {key: each.balance for key, each in world.all("account").items()} == expected
    assert not any(each.unsettled for each in world.all("account").values())
    assert not world.timers


@pytest.mark.parametrize(("source", "target"), [(ADA, ADA_BY_ID), (ADA_BY_ID, ADA)])
def test_an_account_under_two_names(source: str, target: str) -> None:
    """A transfer from an account to itself that does not look like one changes nothing."""
    world = World({ADA: 5})
    before = dict(world.states)
    world.send(f"transfer:{ME}", Start(source=source, target=target, amount=AMOUNT))
    world.deliver_all()
    assert world.states.pop(f"transfer:{ME}").status == "completed"
    assert world.states == before


def test_money_that_no_transfer_waits_for_goes_back() -> None:
    """What is taken for a transfer that was never started goes back into its account."""
    world = World({ADA: 5})
    before = dict(world.states)
    world.send(by_id(ADA), Take(amount=AMOUNT, transfer=ME))
    world.deliver_all()
    assert world.states == before

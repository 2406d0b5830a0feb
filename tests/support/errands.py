"""Random errands for couriers, each with a note of its own, and what must have become of them when all is at rest."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st

from pachyderm_cli import Pachyderm
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind, Tell
from tests.support.office import Office, log

NAMES = ["courier:@a", "courier:@b", "porter:@c"]

_timers = st.sampled_from(["t", "u"])
_waits = st.sampled_from([0.0, 0.0, 50.0, 500.0])
_answers = st.sampled_from(["note", "note", "note", "refuse", "nothing"])


_effects = st.tuples(st.sampled_from(["tell", "post", "die", "fail"]))


def _with(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the shapes of orders whose errands have `children` for orders."""
    errand = st.tuples(_answers, st.lists(children, max_size=2))
    return st.one_of(
        st.tuples(st.just("pass"), st.sampled_from(NAMES), errand, st.sampled_from([None, None, 50.0]), st.booleans()),
        st.tuples(st.just("remind"), _timers, errand, _waits),
        st.tuples(st.just("forget"), _timers),
        _effects,
    )


shapes = st.lists(_with(_with(_effects)), max_size=4)
"""What orders look like, before each errand and each text gets a name of its own."""


@dataclass
class Errands:
    """The errands of one example."""

    office: Office
    noted: dict[str, tuple[str, Do]] = field(default_factory=dict)
    """Whom an errand is for, and the errand, by its note."""
    _numbers: Any = field(default_factory=count)

    def new(self, to: str, shape: list[Any], answer: str = "note") -> Do:
        """Return an errand for `to`, of that shape; every note and text in it is new."""
        note = f"n{next(self._numbers)}"
        errand = Do.model_validate({"note": note, "answer": answer, "orders": [self._order(to, one) for one in shape]})
        self.noted[note] = (to, errand)
        return errand

    def _order(self, own: str, shape: Any) -> Order:
        match shape:
            case ("pass", to, (answer, orders), after, wants_back):
                back = self.new(own, []) if wants_back else None
                return Pass(to=to, errand=self.new(to, orders, answer), refused=back, after=after)
            case ("remind", name, (answer, orders), after):
                return Remind(name=name, errand=self.new(own, orders, answer), after=after)
            case ("forget", name):
                return Forget(name=name)
            case ("tell",):
                return Tell(text=f"tell{next(self._numbers)}")
            case (kind,):
                return self._troublesome(kind)
        raise AssertionError(shape)

    def _troublesome(self, kind: str) -> Post:
        """Return an effect that runs, or that at its first attempt fails or ends the process, so to say."""
        text = f"{kind}{next(self._numbers)}"

        def act() -> None:
            if self.office.world.heard.count(text) == 1:
                raise KeyboardInterrupt if kind == "die" else RuntimeError(text)

        if kind != "post":
            self.office.world.acts[text] = act
        return Post(text=text)


def check(errands: Errands, engine: Pachyderm, sent: list[str]) -> None:
    """Assert that whatever was `sent`, by note, and all that it led to happened as often as it may; all is at rest."""
    written = {head.entity for head in engine.entities()}
    logs = {name: log(engine, name) for name in NAMES if engine.receiver(name) in written}
    happened = Counter(note for notes in logs.values() for note in notes)
    assert set(happened.values()) <= {1}
    assert set(sent) <= set(happened)
    for name, notes in logs.items():
        assert all(errands.noted[note][0] == name for note in notes)
        _check_orders(errands, notes, happened)
    heard = Counter(errands.office.world.heard)
    assert all(number == 1 for text, number in heard.items() if text.startswith("tell"))


def _check_orders(errands: Errands, notes: list[str], happened: Counter[str]) -> None:
    """Assert that what one courier's errands ordered was done: all but timers that were replaced or cancelled."""
    superseded: dict[str, int] = {}  # by timer's name, where in the log it is set again or cancelled
    for at in reversed(range(len(notes))):
        for order in reversed(errands.noted[notes[at]][1].orders):
            match order:
                case Pass():
                    _check_message(order, happened)
                case Post(text=text):
                    assert errands.office.world.heard.count(text) >= 1, text
                case Remind(name=name, errand=errand) if name in superseded:
                    if happened[errand.note]:
                        assert at < notes.index(errand.note) <= superseded[name], errand
                    superseded[name] = at
                case Remind(name=name, errand=errand):
                    assert happened[errand.note] == (errand.answer == "note"), errand
                    superseded[name] = at
                case Forget(name=name):
                    superseded[name] = at


def _check_message(order: Pass, happened: Counter[str]) -> None:
    """Assert that a message arrived once, or came back once where it was to."""
    assert happened[order.errand.note] == (order.errand.answer == "note"), order
    if order.refused is not None:
        assert happened[order.refused.note] == (order.errand.answer == "refuse"), order

"""Carrying out one effect: what can be read here, how often it is tried, and how long it waits in between."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain import arguments
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.effect_code import Unreadable
from pachyderm_cli.engine.loader import ModuleEntityTypes
from pachyderm_cli.engine.relay import Carried, Relay, as_stored, pause_after
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.store import outbox
from pachyderm_cli.store.records import EffectStatus, StoredEffect
from pachyderm_cli.store.store import Store
from tests.support import courier
from tests.support.clocks import ticking
from tests.support.courier import Do, Pass, Post, Posted
from tests.support.effects import NETWORK, a_lease, an_effect, claim, one, queue
from tests.support.office import Office


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return a store that nothing was written to, on each database."""
    opened = Store(store_url)
    yield opened
    opened.close()


def a_relay(store: Store, **modules: Any) -> Relay:
    """Return what carries out effects for couriers, known as `tally`, and for other modules."""
    sender = Sender(store, NETWORK, snapshots_every=0, cached=0, clock=ticking())
    return Relay(store, sender, ModuleEntityTypes({"tally": courier, **modules}))


def stored(**values: Any) -> StoredEffect:
    """Return an effect as if it had been read from the outbox."""
    new = an_effect(**{"type": "Posted", "data": '{"text":"t"}', **values})
    return as_stored(new, Reference("tally", uuid4()), 1, uuid4())


@given(attempt=st.integers(1, 10_000))
def test_the_pause_after_an_attempt_grows_and_is_bounded(attempt: int) -> None:
    """It doubles with each, from a second to an hour at the most; how much of its upper half is left to chance."""
    longest = min(3600.0, 2.0 ** (attempt - 1)) if attempt < 100 else 3600.0
    assert all(longest / 2 <= pause_after(attempt) <= longest for _ in range(20))


def test_pauses_differ_by_chance() -> None:
    """So that what failed together is not tried together again."""
    assert len({pause_after(5) for _ in range(20)}) > 10


def test_an_effect_is_read_by_the_code_of_its_type(store: Store) -> None:
    """As it was emitted."""
    assert a_relay(store).read(stored()) == Posted(text="t")
    assert a_relay(store).problem(stored()) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"handler": "other"}, "there is no entity type 'other'"),
        ({"type": "Gone"}, f"tally ({courier.__file__}) has no effect Gone"),
        ({"data": '{"text":1}'}, "Posted.text: Input should be a valid string (the class no longer fits what is"),
        ({"data": '{"text":"t","more":1}'}, "Posted.more: Extra inputs are not permitted"),
        ({"data": "{}"}, "Posted.text: Field required"),
        ({"to": Reference("other", uuid4()), "handler": "other", "message": "Do"}, "there is no entity type 'other'"),
        ({"to": Reference("tally", uuid4()), "message": "Gone"}, "tally takes no message 'Gone'"),
        ({"to": Reference("tally", uuid4()), "message": "Do", "data": "{}"}, "Do.note: Field required"),
        ({"to": Reference("tally", uuid4()), "message": "Do", "data": '{"note":1}'}, "Do.note: Input should be"),
    ],
)
def test_what_no_code_here_can_read_is_said_so(store: Store, values: dict[str, Any], said: str) -> None:
    """By the type, class or field that does not fit; in one line, as a problem and as an error."""
    effect, here = stored(**values), a_relay(store)
    problem = here.problem(effect)
    assert problem is not None
    assert said in problem
    assert "\n" not in problem
    with pytest.raises(Unreadable):
        here.request(effect) if effect.to is not None else here.read(effect)


@pytest.mark.parametrize("of", ["effect", "message"])
def test_a_validator_that_fails_makes_it_unreadable(store: Store, monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    """Whatever user code raises while it is read is that effect's problem: it is parked, and nobody is ended by it."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("moody")

    if of == "effect":
        monkeypatch.setattr(Posted, "model_validate_json", fail)
    else:
        monkeypatch.setattr(arguments, "decode_model", fail)
    values: dict[str, Any] = {} if of == "effect" else {"to": Reference("tally", uuid4()), "message": "Do"}
    new = an_effect(type="Posted", data='{"text":"t"}', **values)
    queue(store, new)
    lease = a_lease()
    [claimed] = claim(store, lease)
    here = a_relay(store)
    assert "ZeroDivisionError: moody" in str(here.problem(claimed))
    carried = here.carry_out(claimed._replace(attempts=1), lease, {})
    assert carried.result.status is EffectStatus.PARKED
    assert "ZeroDivisionError: moody" in str(one(store, new.id).error)


def test_what_cannot_be_read_is_parked_with_the_fingerprint_of_the_code_that_could_not(store: Store) -> None:
    """At once, however many attempts it has left; of a type that is not here there is no fingerprint."""
    effects = [an_effect(type="Gone"), an_effect(handler="other")]
    queue(store, *effects)
    lease = a_lease()
    outbox.claim(store, NETWORK, ["tally", "other"], lease, 2)
    here = a_relay(store)
    for effect in effects:
        carried = here.carry_out(one(store, effect.id), lease, {})
        assert (carried.result.status, carried.set_off) == ("parked", ())
        assert str(one(store, effect.id).error).startswith("no code here can carry it out: ")
    assert outbox.revive(store, NETWORK, "tally", str(here.fingerprint("tally"))) == 0
    assert outbox.revive(store, NETWORK, "other", "any") == 1
    assert here.fingerprint("other") is None


def test_an_attempt_is_begun_under_the_lease_only(store: Store) -> None:
    """It is counted then; who has lost the lease begins nothing."""
    effect, lease, here = an_effect(type="Posted"), a_lease(), a_relay(store)
    queue(store, effect)
    [claimed] = claim(store, lease)
    begun = here.begin(claimed, lease)
    assert isinstance(begun, StoredEffect)
    assert (begun.attempts, one(store, effect.id).attempts) == (1, 1)
    assert here.begin(claimed, a_lease()) is None
    assert one(store, effect.id).attempts == 1


@pytest.mark.parametrize(
    ("attempts", "is_begun"), [(Posted.max_attempts - 1, True), (Posted.max_attempts, False), (50, False)]
)
def test_what_was_tried_as_often_as_it_may_be_is_not_begun_again(
    store: Store, attempts: int, *, is_begun: bool
) -> None:
    """None of its attempts came to an end, or it would be parked: so it is now, and that is said."""
    effect, lease, here = an_effect(type="Posted"), a_lease(), a_relay(store)
    queue(store, effect)
    [claimed] = claim(store, lease)
    begun = here.begin(claimed._replace(attempts=attempts), lease)
    assert isinstance(begun, StoredEffect if is_begun else Carried)
    if isinstance(begun, Carried):
        assert begun.result.error == f"the process ended while it was tried, {attempts} times"
        assert one(store, effect.id).status == "parked"


@pytest.mark.parametrize("kind", ["unknown class", "unknown type", "message"])
def test_where_a_class_says_nothing_there_are_eight_attempts(store: Store, kind: str) -> None:
    """For messages between entities, and for what cannot be read."""
    effect = {
        "unknown class": stored(type="Gone"),
        "unknown type": stored(handler="other"),
        "message": stored(to=Reference("tally", uuid4()), message="Do"),
    }[kind]
    here = a_relay(store)
    assert not here.is_used_up(effect._replace(attempts=7))
    assert here.is_used_up(effect._replace(attempts=8))


def test_what_is_to_be_carried_out_is_what_the_store_would_give_back(store_url: str) -> None:
    """But for the database's times: so nothing is read again between commit and attempt."""
    seen: list[StoredEffect] = []
    with Office(store_url) as office, pytest.MonkeyPatch.context() as patched:
        engine = office.open()

        def note(_self: Relay, effect: StoredEffect, *_: object, **__: object) -> None:
            seen.append(effect)
            raise ZeroDivisionError

        patched.setattr(Relay, "carry_out", note)
        orders = (Post(text="t"), Pass(to="porter:@b", errand=Do(note="m"), refused=Do(note="back")))
        with pytest.raises(ZeroDivisionError):
            engine.send("courier:@a", Do(note="n", orders=orders))
        with pytest.raises(ZeroDivisionError):
            engine.send("courier:@a", Do(note="n", orders=orders[1:]))
        for effect in seen:
            [found] = outbox.effects_between(engine._store, "default", effect.id, effect.id, 1)
            times = {name: getattr(found, name) for name in ("due_at", "next_attempt_at", "created_at")}
            assert effect._replace(**times) == found
    assert [each.type for each in seen] == ["Posted", "Send"]

"""Whatever is sent, set, interrupted and worked on, in whatever order: in the end all of it happened as it should."""

from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pachyderm_cli import Pachyderm
from tests.support.errands import NAMES, Errands, check, shapes
from tests.support.office import Office

engines = st.integers(0, 1)
names = st.sampled_from(NAMES)


class OutboxAtWork(RuleBasedStateMachine):
    """Drives two engines on one store. Each example has a network of its own, in one database."""

    store_url: str
    checked = 0  # errands
    networks = count()

    def __init__(self) -> None:
        super().__init__()
        self.office = Office(self.store_url)
        self.errands = Errands(self.office)
        self.network = f"example {next(self.networks)}"
        self.engines = [self.opened(cached=10), self.opened(cached=1, deliveries=1)]
        self.sent: list[str] = []  # the notes of what was acknowledged

    def opened(self, **options: int) -> Pachyderm:
        """Return an engine in this example's network."""
        return self.office.open(network=self.network, snapshots_every=3, **options)

    @rule(engine=engines, to=names, shape=shapes, effects=st.booleans())
    def send(self, engine: int, to: str, shape: list[object], *, effects: bool) -> None:
        """Send an errand; the process may end in the middle, so to say, and then it is not acknowledged."""
        errand = self.errands.new(to, shape)
        try:
            self.engines[engine].send(to, errand, effects=effects)
        except KeyboardInterrupt:
            return
        self.sent.append(errand.note)

    @rule(engine=engines, batch=st.lists(st.tuples(names, shapes), min_size=2, max_size=4))
    def send_all(self, engine: int, batch: list[tuple[str, list[object]]]) -> None:
        """Send several errands together."""
        errands = [(to, self.errands.new(to, shape)) for to, shape in batch]
        opened = self.engines[engine]
        try:
            opened.send_all([opened.request(to, errand) for to, errand in errands])
        except KeyboardInterrupt:
            return
        self.sent += [errand.note for _, errand in errands]

    @rule(engine=engines, concurrency=st.integers(1, 3))
    def work(self, engine: int, concurrency: int) -> None:
        """Let a worker do what is due; it may end in the middle."""
        try:
            list(self.engines[engine].work(once=True, concurrency=concurrency))
        except KeyboardInterrupt:
            return

    @rule(seconds=st.sampled_from([5.0, 60.0, 1000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time pass: for timers, for pauses after failures, for the leases of processes that have ended."""
        self.office.pass_time(seconds, self.network)

    @rule(engine=engines)
    def reopen(self, engine: int) -> None:
        """Forget all that an engine knows."""
        self.engines[engine].close()

    def teardown(self) -> None:
        """Let all the time pass that is needed, and check what has happened."""
        engine = self.engines[0]
        try:
            for _ in range(50):
                if next(engine.effects(), None) is None:
                    break
                self.office.pass_time(7200, self.network)
                self.work(0, 2)
            assert [each.stored for each in engine.effects()] == []
            if self.sent:
                check(self.errands, engine, self.sent)
                type(self).checked += len(self.sent)
        finally:
            self.office.__exit__(None, None, None)


def test_all_that_is_sent_happens_as_it_should(store_url: str) -> None:
    """Messages exactly once, effects as often as they may, timers unless replaced or cancelled; nothing is left."""

    class OnThisStore(OutboxAtWork):
        pass

    OnThisStore.store_url = store_url
    # What else is asserted stands in the machine: in its end (`teardown`) and in what it checks (`check`).
    examples = 300 if settings.get_current_profile_name() == "explore" else 30
    run_state_machine_as_test(OnThisStore, settings=settings(max_examples=examples, stateful_step_count=12))
    assert OnThisStore.checked > examples

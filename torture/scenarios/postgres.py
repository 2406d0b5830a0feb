"""A Postgres server in trouble: restarted and killed under load, sessions ended, timeouts, no connection to spare."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from random import Random
from types import MappingProxyType
from typing import NamedTuple

import psycopg

from torture.faults.server import END_SESSIONS, Server, a_server
from torture.figure import Figure, Run
from torture.judge.faults import the_faults_happened
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import cast, outages, told, under_fire
from torture.load.recovery import HANGS, MOST_SECONDS, Recoveries

CONNECTIONS = 30

_REFUSED = ("sorry, too many clients already", "remaining connection slots are reserved")


_TIMEOUTS = ("statement", "lock")
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name <> 'taken' AND backend_type = 'client backend'"


class Done(NamedTuple):
    """What was done: faults by name, each of which is to have happened, and what else is told."""

    faults: dict[str, int]
    numbers: Mapping[str, object] = MappingProxyType({})


Trouble = Callable[[Run, Server, Random, Recoveries], Done]


def restarts(run: Run) -> Figure:
    """Stop it quickly, at once, kill -9 it or one of its sessions; let it be away for a while."""
    return _in_trouble(run, "postgres restarts", _restart)


def cut_sessions(run: Run) -> Figure:
    """End sessions of the clients at random."""
    return _in_trouble(run, "postgres sessions ended", _end_sessions)


def timeouts(run: Run) -> Figure:
    """Let statements and locks time out while others hold the locks."""
    return _in_trouble(run, "postgres timeouts", _time_out, {"deadlock_timeout": "20ms"})


def no_connections(run: Run) -> Figure:
    """Take all of its connections, for a while each time."""
    return _in_trouble(run, "postgres out of connections", _take_connections, {"max_connections": CONNECTIONS})


def _in_trouble(run: Run, name: str, trouble: Trouble, settings: dict[str, object] | None = None) -> Figure:
    random = Random(f"{name}:{run.seed}")  # noqa: S311 - chances, no secrets
    folder = run.folder(name.replace(" ", "-"))
    with a_server(**(settings or {})) as server:
        everybody = cast(server.url(), folder, run.seed)
        recoveries, dones = Recoveries(everybody, run.size(MOST_SECONDS, quick=HANGS)), list[Done]()
        began = time.monotonic()
        under_fire(everybody, lambda _: dones.append(trouble(run, server, random, recoveries)))
        took = round(time.monotonic() - began)
        history = read_history(folder, server.url())
        [done] = dones
        of_clients = {**recoveries.told(), **outages(everybody), **told(history)}
        breaches = [*judge(history), *the_faults_happened(done.faults), *recoveries.breaches()]
        return Figure(name, {**done.faults, **done.numbers, "seconds": took, **of_clients}, breaches)


def _restart(run: Run, server: Server, random: Random, recoveries: Recoveries) -> Done:
    rounds, kinds = run.size(40, quick=6), ["fast", "immediate", "kill", "session"]
    ways = Counter[str]()
    recoveries.wait()
    for done in range(rounds):
        way = random.choice(kinds) if done >= len(kinds) else kinds[done]
        ways[way] += 1
        if way == "session":
            [process] = random.sample(server.sessions(), 1)
            server.kill_session(process)
            while not server.is_ready():
                time.sleep(0.02)
        else:
            server.kill() if way == "kill" else server.stop(way)
            time.sleep(random.uniform(0, 2))
            server.start()
        recoveries.measure(way)
        run.progress(done + 1, rounds)
    crashes = server.logged("terminated by signal 9")
    faults = {"restarts": ways["fast"], "ended at once": ways["immediate"], "kill -9": ways["kill"]}
    return Done({**faults, "kill -9 of a session": min(ways["session"], crashes)})


def _end_sessions(run: Run, server: Server, random: Random, recoveries: Recoveries) -> Done:
    wanted, cut = run.size(1000, quick=200), 0
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        while cut < wanted:
            time.sleep(random.expovariate(1 / 0.02))
            processes = server.sessions()
            if processes:
                [(ended,)] = session.execute("SELECT pg_terminate_backend(%s)", [random.choice(processes)]).fetchall()
                cut += ended
                if ended and cut % 40 == 0:
                    recoveries.measure("ended sessions")
            run.progress(cut, wanted)
    recoveries.measure("ended sessions")
    return Done({"sessions ended": server.logged("terminating connection due to administrator command")})


def _time_out(run: Run, server: Server, random: Random, recoveries: Recoveries) -> Done:
    rounds = run.size(200, quick=30)
    recoveries.wait()
    server.execute("ALTER DATABASE postgres SET statement_timeout TO '60ms'")
    server.execute("ALTER DATABASE postgres SET lock_timeout TO '30ms'")
    server.end_sessions()  # those that come have the settings
    with psycopg.connect(server.dsn()) as session:
        session.execute("SET statement_timeout TO 0; SET lock_timeout TO 0")
        session.commit()
        for done in range(rounds):
            if done == rounds // 2:  # from here on it is the statement that times out while it waits for a lock
                server.execute("ALTER DATABASE postgres SET lock_timeout TO 0")
                server.end_sessions()
            with suppress(psycopg.errors.DeadlockDetected), session.transaction():
                table = random.choice(["pachyderm_entities", "pachyderm_entities", "pachyderm_outbox"])
                session.execute(f"SELECT 1 FROM {table} FOR UPDATE".encode())  # noqa: S608 - the names above
                time.sleep(random.uniform(0, 0.15))
            time.sleep(random.uniform(0, 0.1))
            if done % 10 == 0:
                recoveries.measure("timeouts")
            run.progress(done + 1, rounds)
    server.execute("ALTER DATABASE postgres RESET ALL")
    server.end_sessions()
    recoveries.measure("timeouts")
    fired = {f"{kind} timeouts": server.logged(f"canceling statement due to {kind} timeout") for kind in _TIMEOUTS}
    return Done(fired, {"times that locks were held": rounds})


def _take_connections(run: Run, server: Server, random: Random, recoveries: Recoveries) -> Done:
    rounds, used_up, met, most = run.size(20, quick=4), 0, 0, 0
    recoveries.wait()
    for done in range(rounds):
        with ExitStack() as taken:
            session = taken.enter_context(psycopg.connect(server.dsn(), autocommit=True))
            before, held, refusals = _refusals(server), 0, 0
            for _ in range(10):  # the clients want them back
                session.execute(END_SESSIONS)
                held += _take_all(server, taken)
                refusals += 1
            most = max(most, held)
            time.sleep(random.uniform(0.5, 2))
            held += _take_all(server, taken)  # whether there is none even now
            [(others,)] = session.execute(_OTHERS).fetchall()
            used_up += held + others >= CONNECTIONS
            met += _refusals(server) - before > refusals + 1
        recoveries.measure("used-up connections")
        run.progress(done + 1, rounds)
    taken_of = {"of them taken": f"{most} of {CONNECTIONS}", "rounds": rounds}
    return Done({"times without connections": used_up, "times that clients were refused": met}, taken_of)


def _take_all(server: Server, taken: ExitStack) -> int:
    """Take connections until one is refused; return how many."""
    held = 0
    with suppress(psycopg.OperationalError):
        while True:
            taken.enter_context(psycopg.connect(server.dsn(), application_name="taken"))
            held += 1
    return held


def _refusals(server: Server) -> int:
    return sum(map(server.logged, _REFUSED))

"""A Postgres server in trouble: restarted and killed under load, sessions ended, timeouts, no connection to spare."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from random import Random

import psycopg

from torture.faults.server import END_SESSIONS, Server, a_server
from torture.figure import Figure, Run
from torture.judge.history import read_history
from torture.judge.laws import judge
from torture.load.cast import Cast, cast, outages, told, under_fire, wait_for_sends

CONNECTIONS = 30

Trouble = Callable[[Run, Server, Random, Cast], dict[str, object]]


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
        done: dict[str, object] = {}
        began = time.monotonic()
        under_fire(everybody, lambda _: done.update(trouble(run, server, random, everybody)))
        took = round(time.monotonic() - began)
        history = read_history(folder, server.url())
        numbers = {**done, "seconds": took, **outages(everybody), **told(history)}
        return Figure(name, numbers, judge(history))


def _restart(run: Run, server: Server, random: Random, everybody: Cast) -> dict[str, object]:
    rounds, kinds = run.size(40, quick=6), ["fast", "immediate", "kill", "session"]
    for done in range(rounds):
        wait_for_sends(everybody)
        match random.choice(kinds) if done >= len(kinds) else kinds[done]:
            case "kill":
                server.kill()
            case "session":
                [process] = random.sample(server.sessions(), 1)
                server.kill_session(process)
                while not server.is_ready():
                    time.sleep(0.02)
                continue
            case mode:
                server.stop(mode)
        time.sleep(random.uniform(0, 2))
        server.start()
        run.progress(done + 1, rounds)
    wait_for_sends(everybody)
    return {"restarts": rounds}


def _end_sessions(run: Run, server: Server, random: Random, everybody: Cast) -> dict[str, object]:
    wanted, cut = run.size(1000, quick=200), 0
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        while cut < wanted:
            time.sleep(random.expovariate(1 / 0.02))
            processes = server.sessions()
            if processes:
                [(ended,)] = session.execute("SELECT pg_terminate_backend(%s)", [random.choice(processes)]).fetchall()
                cut += ended
            run.progress(cut, wanted)
    wait_for_sends(everybody)
    return {"sessions ended": cut}


def _time_out(run: Run, server: Server, random: Random, everybody: Cast) -> dict[str, object]:
    rounds = run.size(200, quick=30)
    wait_for_sends(everybody)
    server.execute("ALTER DATABASE postgres SET statement_timeout TO '60ms'")
    server.execute("ALTER DATABASE postgres SET lock_timeout TO '30ms'")
    server.end_sessions()  # those that come have the settings
    with psycopg.connect(server.dsn()) as session:
        session.execute("SET statement_timeout TO 0; SET lock_timeout TO 0")
        for done in range(rounds):
            with suppress(psycopg.errors.DeadlockDetected), session.transaction():
                table = random.choice(["pachyderm_entities", "pachyderm_entities", "pachyderm_outbox"])
                session.execute(f"SELECT 1 FROM {table} FOR UPDATE".encode())  # noqa: S608 - the names above
                time.sleep(random.uniform(0, 0.15))
            time.sleep(random.uniform(0, 0.1))
            run.progress(done + 1, rounds)
    server.execute("ALTER DATABASE postgres RESET ALL")
    server.end_sessions()
    wait_for_sends(everybody)
    return {"times that locks were held": rounds}


def _take_connections(run: Run, server: Server, random: Random, everybody: Cast) -> dict[str, object]:
    rounds, most = run.size(20, quick=4), 0
    for done in range(rounds):
        wait_for_sends(everybody)
        with ExitStack() as taken:
            held = 0
            session = taken.enter_context(psycopg.connect(server.dsn(), autocommit=True))
            for _ in range(10):  # the clients want them back
                with suppress(psycopg.OperationalError):
                    while True:
                        taken.enter_context(psycopg.connect(server.dsn()))
                        held += 1
                session.execute(END_SESSIONS)
            most = max(most, held)
            time.sleep(random.uniform(0.5, 2))
        run.progress(done + 1, rounds)
    wait_for_sends(everybody)
    return {"times without connections": rounds, "of them taken": f"{most} of {CONNECTIONS}"}

"""Code that changes under what is in the outbox: what was parked is tried again with other code, and only then."""

from pathlib import Path

import pytest

from pachyderm_cli import Pachyderm
from tests.support.modules import write
from tests.support.office import Office

BELL = """\
from collections.abc import Iterator

from pachyderm_cli import Effect, Event, Message, Send


class Ring(Message):
    to: str | None = None


class Rang(Event):
    pass


class Echo(Effect):
    delivery = "at_least_once"
    max_attempts = 1
    loud: bool = True

    def dispatch(self, config):
        raise RuntimeError("cracked")


def init() -> int:
    return 0


def handle(message: Ring, state: int) -> Iterator[Rang | Echo]:
    yield Rang()
    if message.to is None:
        yield Echo()
    else:
        yield Send(to=message.to, message=Ring())


def update(event: Rang, state: int) -> int:
    return state + 1
"""
MENDED = BELL.replace('raise RuntimeError("cracked")', 'config["heard"].append(self.loud)')
WITHOUT_EFFECT = BELL.replace("class Echo", "class Whisper").replace("yield Echo", "yield Whisper")
WITHOUT_EFFECT = WITHOUT_EFFECT.replace("Rang | Echo", "Rang | Whisper")
WITH_ANOTHER_FIELD = MENDED.replace("loud: bool", "soft: bool").replace("self.loud", "self.soft")
WITH_A_NEW_FIELD = MENDED.replace("loud: bool = True", "loud: bool = True\n    times: int = 3").replace(
    "append(self.loud)", "append((self.loud, self.times))"
)
REFUSING = MENDED.replace("    yield Rang()\n", '    raise RuntimeError("no bell")\n    yield Rang()\n')
COMMENTED = BELL.replace("class Echo", "# It rings.\nclass Echo") + "\n\n# The end.\n"


class Project:
    """A project whose code changes, and engines on it; each is another process's, so to say."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.store_url = store_url
        self.heard: list[object] = []
        self.office = Office(store_url)
        (folder / "pachyderm.toml").touch()

    def opened(self, **modules: str) -> Pachyderm:
        """Return an engine on the project with these modules."""
        entities = self.folder / "entities"
        for file in entities.glob("*.py"):
            file.unlink()
        write(self.folder, modules)
        opened = Pachyderm.open(self.folder, store=self.store_url)
        opened._config = {"heard": self.heard}
        return opened

    def work(self, **modules: str) -> list[str]:
        """Let a worker with these modules work; return what became of what it tried."""
        self.office.pass_time(7200)
        with self.opened(**modules) as engine:
            return [str(each.result.status) for each in engine.work(once=True)]


@pytest.fixture
def project(tmp_path: Path, store_url: str) -> Project:
    """Return a project that has one parked effect."""
    made = Project(tmp_path, store_url)
    with made.opened(bell=BELL) as engine:
        [result] = engine.send("bell:@a", "ring").effects
    assert (result.status, str(result.error).partition(" (")[0]) == ("parked", "RuntimeError: cracked")
    return made


def test_the_same_code_does_not_try_it_again(project: Project) -> None:
    """However often a worker starts, and though a comment was written into it."""
    assert project.work(bell=BELL) == []
    assert project.work(bell=COMMENTED) == []
    assert project.office.only()["status"] == "parked"


def test_other_code_tries_it_again(project: Project) -> None:
    """By itself, with all attempts, and it is done."""
    assert project.work(bell=MENDED) == ["done"]
    assert project.heard == [True]
    assert project.office.only()["attempts"] == 1


def test_other_code_that_fails_too_parks_it_again(project: Project) -> None:
    """With its own fingerprint: then that code does not try it any more either, and the first one does."""
    other = BELL.replace("cracked", "still cracked")
    assert [project.work(bell=other), project.work(bell=other)] == [["parked"], []]
    assert "still cracked" in project.office.only()["error"]
    assert project.work(bell=BELL) == ["parked"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (WITHOUT_EFFECT, "has no effect Echo"),
        (WITH_ANOTHER_FIELD, "Echo.loud: Extra inputs are not permitted (the class no longer fits what is stored)"),
    ],
)
def test_code_that_cannot_read_it_keeps_it_and_says_so(project: Project, source: str, said: str) -> None:
    """It is shown as what no code here can read, until there is code that can."""
    assert project.work(bell=source) == ["parked"]
    assert f"no code here can carry it out: {said}" in project.office.only()["error"].replace(
        f"bell ({project.folder}/entities/bell.py) ", ""
    )
    with project.opened(bell=source) as engine:
        [shown] = engine.effects()
        assert said in str(shown.unreadable)
    assert project.work(bell=source) == []
    assert project.work(bell=MENDED) == ["done"]


@pytest.mark.parametrize("modules", [{}, {"bell": "import nothing_of_that_name\n"}, {"horn": BELL}])
def test_without_its_module_it_is_left_as_it_is(project: Project, modules: dict[str, str]) -> None:
    """A worker that does not have the type, or cannot load it, neither tries nor changes it."""
    before = project.office.only()
    assert project.work(**modules) == []
    after = project.office.only()
    assert {**after, "due_at": None} == {**before, "due_at": None}
    assert project.work(bell=MENDED) == ["done"]


def test_a_new_optional_field_has_its_default(project: Project) -> None:
    """As with events: what was stored before it is read all the same."""
    assert project.work(bell=WITH_A_NEW_FIELD) == ["done"]
    assert project.heard == [(True, 3)]


def test_a_message_waits_for_the_code_of_its_receiver(tmp_path: Path, store_url: str) -> None:
    """Parked where there is none, tried again where there is, and again when what failed has changed."""
    project = Project(tmp_path, store_url)
    with project.opened(bell=MENDED) as engine:
        [result] = engine.send("bell:@a", "ring", {"to": "horn:@b"}).effects
    assert (result.status, project.work(bell=MENDED)) == ("parked", [])
    assert project.work(bell=MENDED, horn=REFUSING) == ["pending"]
    for _ in range(7):
        project.work(bell=MENDED, horn=REFUSING)
    assert project.office.rows()[0]["status"] == "parked"
    assert project.work(bell=BELL, horn=REFUSING) == []  # not the sender's code, the receiver's
    assert project.work(bell=MENDED, horn=MENDED) == ["done", "done"]
    assert project.heard == [True]


def test_a_worker_notices_what_another_one_parked_meanwhile(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks now and then, as long as it goes on."""
    monkeypatch.setattr("pachyderm_cli.engine.worker._REVIVAL_PAUSE", 0.0)
    with project.opened(bell=MENDED) as engine:
        assert [str(each.result.status) for each in engine.work(once=True)] == ["done"]
        effect = project.office.only()["id"]
        project.office.change(effect, status="parked", fingerprint="of other code", ended_at=None)
        assert [str(each.result.status) for each in engine.work(once=True)] == ["done"]

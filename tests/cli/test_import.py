"""`pachyderm import` and `pachyderm copy`: what comes into which network, through pipes, in parts, and the errors."""

import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from pachyderm_cli.cli import line_file
from pachyderm_cli.store import importing
from tests.cli.running import SECONDS, Command

KEYS = [
    "store",
    "network",
    "from_network",
    "entities",
    "events",
    "cursors",
    "forks",
    "effects",
    "positions_kept",
    "went_on_after",
]


@pytest.fixture
def file(pachyderm: Command) -> Path:
    """Return an export of two entities of the network `shop`."""
    there = pachyderm.elsewhere(pachyderm.folder, PACHYDERM_NETWORK="shop")
    there.quick("send", "counter:@a", "increment").done()
    there.quick("send", "box:@b", "put-in", "text=x").done()
    there.quick("export", "-o", "shop.jsonl").done()
    (pachyderm.folder / "pachyderm.db").rename(pachyderm.folder / "shop.db")
    return pachyderm.folder / "shop.jsonl"


def test_it_goes_into_the_network_that_it_is_from(on_store: Command, file: Path) -> None:
    """Unless an option or the environment names another; then a note says that names mean others there."""
    result = on_store.quick("import", file, "--json").done()
    assert list(result.document) == KEYS
    assert (result.document["network"], result.document["events"], result.err) == ("shop", 2, "")
    assert on_store.quick("--network", "shop", "export").done().out == file.read_text()
    for named, settings in ((("--network", "one"), {}), ((), {"PACHYDERM_NETWORK": "two"})):
        result = on_store.quick(*named, "import", file, **settings).done()
        assert "network o" in result.out or "network two" in result.out
        assert "'shop'" in result.err
    assert on_store.quick("list").done().out == ""
    assert on_store.quick("--network", "", "import", file).status == 6


def test_it_goes_into_the_store_of_its_network(pachyderm: Command, file: Path) -> None:
    """A network that pachyderm.toml gives a store of its own is imported into that."""
    project = pachyderm.folder / "pachyderm.toml"
    project.write_text(project.read_text() + '\n[networks.shop]\nurl = "sqlite:///own.db"\n')
    imported = pachyderm.quick("import", file, "--json").done().document
    assert imported["store"].endswith("/own.db")


def test_pipes_carry_it(pachyderm: Command, file: Path) -> None:
    """An export piped into an import is the same there, whole or in parts."""
    source, target = pachyderm.line("--store", "sqlite:///shop.db", "--network", "shop", "export"), "sqlite:///piped.db"
    for number, extra in enumerate(([], ["--resumable"])):
        line = pachyderm.line("--store", f"{target}{number}", "import", "-", "--json", *extra)
        with subprocess.Popen(
            source, cwd=pachyderm.folder, env=pachyderm.environment({}), stdout=subprocess.PIPE
        ) as process:
            done = subprocess.run(
                line,
                cwd=pachyderm.folder,
                env=pachyderm.environment({}),
                stdin=process.stdout,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        assert (done.returncode, json.loads(done.stdout)["events"]) == (0, 2), done
        again = pachyderm.quick("--store", f"{target}{number}", "--network", "shop", "export").done()
        assert again.out == file.read_text()


def test_progress_is_shown(pachyderm: Command, file: Path) -> None:
    """A terminal sees how far it is, and what came of it."""
    shown = " ".join(pachyderm.on_terminal("import", file, "--resumable").split())  # wherever its lines are broken
    assert shown.index("checking") < shown.index("importing") < shown.index("2 events of 2 entities")
    assert "copying" in pachyderm.on_terminal("--network", "shop", "copy", "--to", "sqlite:///copy.db")


def test_what_is_there_already_is_a_collision(on_store: Command, file: Path) -> None:
    """Imported again, it ends with status 4, and names what it was, the line and the network."""
    on_store.quick("import", file).done()
    before = on_store.quick("--network", "shop", "export").done().out
    result = on_store.quick("import", file, "--json")
    assert (result.status, result.out, result.error["code"]) == (4, "", "collision")
    assert (result.error["line"], result.error["network"]) == (2, "shop")
    assert "the entity counter:" in result.error["message"]
    assert on_store.quick("--network", "shop", "export").done().out == before


def test_damage_is_a_failed_check(pachyderm: Command, file: Path) -> None:
    """Cut off or changed it ends with status 9 and the line; in parts, nothing of a file is in either."""
    text = file.read_text()
    for damaged in (text[:-20], text.replace("2026", "2025", 1), text[: text.rindex('{"end"')]):
        file.write_text(damaged)
        for extra in ((), ("--resumable",)):
            result = pachyderm.quick("import", file, "--json", *extra)
            assert (result.status, result.error["code"]) == (9, "check_failed")
            assert result.error["line"] > 1
            assert not (pachyderm.folder / "pachyderm.db").exists()


def test_a_file_is_checked_before_tables_are_made(on_store: Command, file: Path) -> None:
    """Also an empty file or database, that somebody made for the store, stays so when the import fails."""
    if "sqlite" in on_store.settings["PACHYDERM_STORE"]:
        Path(on_store.settings["PACHYDERM_STORE"].removeprefix("sqlite:///")).touch()
    whole = file.read_text()
    file.write_text(whole[:-20])
    assert on_store.quick("import", file).status == 9
    assert "there is no store" in on_store.quick("store", "verify", "--json").error["message"]
    file.write_text(whole)
    on_store.quick("import", file).done()


def test_other_ends_of_lines_are_told_at_once(pachyderm: Command, file: Path) -> None:
    """A file that was transferred as text is named as that in its first line, with what mends it; also from a pipe."""
    text = file.read_bytes()
    file.write_bytes(text.replace(b"\n", b"\r\n"))
    for name, extra in ((file, ()), (file, ("--resumable",)), ("-", ())):
        result = pachyderm.quick("import", name, "--json", *extra, stdin=file.read_bytes())
        assert (result.status, result.error["code"], result.error["line"]) == (9, "check_failed", 1)
        assert "CR LF" in result.error["message"]
        assert r"tr -d '\r'" in result.error["message"]
        assert not (pachyderm.folder / "pachyderm.db").exists()
    (pachyderm.folder / "other.txt").write_bytes(b"something else\r\n")
    assert pachyderm.quick("import", "other.txt").status == 2
    file.write_bytes(file.read_bytes().replace(b"\r", b""))
    pachyderm.quick("import", file).done()


@pytest.mark.parametrize("piece", [1, 100, 2**20])
def test_a_line_that_is_too_long_is_told(
    pachyderm: Command, file: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """No line is read beyond the longest there may be; an export that has such lines says so, and a copy takes them."""
    longest = max(map(len, file.read_bytes().splitlines(keepends=True)))
    monkeypatch.setattr(line_file, "LONGEST_LINE", longest)
    monkeypatch.setattr(line_file, "_PIECE", piece)
    shop = pachyderm.store("sqlite:///shop.db")
    assert shop.quick("--network", "shop", "export", "-o", "same.jsonl").done().err == ""
    shop.quick("--network", "shop", "send", "box:@b", "put-in", f"text={'ü' * longest}").done()
    assert "pachyderm copy" in shop.quick("--network", "shop", "export", "-o", "long.jsonl").done().err
    for name, stdin in (("long.jsonl", b""), ("-", (pachyderm.folder / "long.jsonl").read_bytes())):
        result = pachyderm.quick("import", name, "--json", stdin=stdin)
        assert (result.status, result.error["code"], result.error["line"]) == (9, "check_failed", 5)
        assert "pachyderm copy" in result.error["message"]
    pachyderm.quick("import", "same.jsonl").done()
    shop.quick("--network", "shop", "copy", "--to", "sqlite:///copied.db").done()


@pytest.mark.parametrize("name", ["pachyderm.toml", "shop.db", "missing.jsonl", "entities"])
def test_what_is_no_export_is_a_usage_error(pachyderm: Command, file: Path, name: str) -> None:
    """Another file, none, or a folder: status 2, and no store is made."""
    result = pachyderm.quick("import", name, "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert not (pachyderm.folder / "pachyderm.db").exists()


def test_killed_in_parts_it_goes_on(on_store: Command, file: Path) -> None:
    """Killed while it waits for more, the same command goes on where it was; an export is refused until then."""
    lines = [line + "\n" for line in file.read_text().split("\n")[:-1]]
    wide = json.dumps({"text": "x" * 5_000_000})  # a part of its own
    event = json.loads(lines[1])
    event["event"]["data"] = wide
    counts = json.loads(lines[-1])
    changed = [lines[0], json.dumps(event) + "\n", *lines[2:-1]]
    counts["end"]["sha256"] = hashlib.sha256("".join(changed).encode()).hexdigest()
    changed.append(json.dumps(counts) + "\n")
    process = subprocess.Popen(
        on_store.line("import", "-", "--resumable"),
        cwd=on_store.folder,
        env=on_store.environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write("".join(changed[:3]).encode())
    process.stdin.flush()
    end = time.monotonic() + SECONDS
    while on_store.quick("--network", "shop", "export").status != 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.wait()
    process.stdin.close()
    result = on_store.quick("import", "-", "--json", stdin="".join(changed))
    assert (result.status, "--resumable" in result.error["message"]) == (2, True)
    done = on_store.quick("import", "-", "--resumable", "--json", stdin="".join(changed)).done().document
    assert (done["events"], done["went_on_after"]) == (2, 2)
    assert wide[10:90] in on_store.quick("--network", "shop", "export").done().out


@pytest.mark.postgres
def test_a_copy_goes_to_a_server_and_back(pachyderm: Command, file: Path, postgres_url: str) -> None:
    """From SQLite to Postgres and back it is the same; no password is printed, and onto itself it is refused."""
    there = pachyderm.elsewhere(pachyderm.folder, PACHYDERM_NETWORK="shop")
    url = make_url(postgres_url).set(password="s3cr3t").render_as_string(hide_password=False)  # noqa: S106 - nobody asks for it
    source = there.store("sqlite:///shop.db")
    result = source.quick("copy", "--to", url, "--json").done()
    assert list(result.document) == ["from", "to", *KEYS[1:]]
    assert (result.document["events"], "s3cr3t" in result.out + result.err) == (2, False)
    again = source.quick("copy", "--to", url, "--json")
    assert (again.status, again.error["code"], "s3cr3t" in again.err) == (4, "collision", False)
    assert source.quick("copy", "--to", url, "--to-network", "x").done().err.startswith("ids are as they were")
    server = there.store(url)
    server.quick("copy", "--to", "sqlite:///back.db").done()
    assert there.store("sqlite:///back.db").quick("export").done().out == file.read_text()
    for command, to in ((server, url), (source, f"sqlite:///{pachyderm.folder}/shop.db")):
        refused = command.quick("copy", "--to", to, "--to-network", "y", "--json")
        assert (refused.status, refused.error["code"], "s3cr3t" in refused.err) == (2, "usage", False)
    assert source.quick("copy", "--to", "nowhere", "--json").error["code"] == "config_error"


def test_what_is_in_its_way_is_told_before_any_part_is_in(on_store: Command, file: Path) -> None:
    """A file that is to be imported in parts is held against the store while it is checked."""
    network = on_store.elsewhere(on_store.folder, PACHYDERM_NETWORK="shop")
    network.quick("send", "box:@b", "put-in", "text=y").done()
    result = network.quick("import", file, "--resumable", "--json")
    assert (result.status, result.error["code"]) == (4, "collision")
    assert "nothing was written" in result.error["message"]
    assert len(network.quick("list", "--json").done().documents) == 1


def test_one_that_will_never_end_is_given_up(on_store: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`import --abandon` tells what went again; the network can be exported after it, and there is no second one."""
    monkeypatch.setattr(importing, "_PART", 1)
    network = on_store.elsewhere(on_store.folder, PACHYDERM_NETWORK="shop")
    cut_off = "".join(file.read_text().splitlines(keepends=True)[:2])
    assert network.quick("import", "-", "--resumable", stdin=cut_off).status == 9
    assert network.quick("export").status == 2
    given_up = network.quick("import", "--abandon", "--json").done().document
    assert given_up == {"lines": 2, "entities": 1, "events": 1}
    network.quick("export").done()
    again = network.quick("import", "--abandon", "--json")
    assert (again.status, again.error["code"]) == (3, "not_found")
    for arguments in (("import", "--abandon", file), ("import",)):
        assert network.quick(*arguments).status == 2

"""What a telephone holds until the server has it: nothing is lost to a wrong clock, to one bad sending or to two people."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relais.questionnaires.testing import in_node

RELAIS = Path(__file__).parents[2]
DOOR = {"status": 200, "text": json.dumps({"grant": "mine", "csrf": "x"})}
TAKEN = {"status": 200, "text": json.dumps({"level": "rouge"})}
PAGE = {"text": "<html>"}

Telephone = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def telephone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telephone]:
    """The scripts as the site serves them: all modules in one folder."""
    folder = tmp_path_factory.mktemp("telephone")
    (folder / "package.json").write_text('{"type": "module"}')
    for module in ("core", "questionnaires", "telemonitoring"):
        shutil.copytree(RELAIS / module / "static" / module, folder / "static" / module)
    shutil.copy(Path(__file__).parent / "held.mjs", folder)
    with in_node(folder / "held.mjs") as ask:
        yield ask


def queued(name: str, at: int, grant: str = "mine", **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "queued", "grant": grant, "at": f"{at:02d}", "sealed": {"request": name}, **more}


@pytest.mark.req("EC-03")
@pytest.mark.parametrize(
    "bad", [{"status": 500, **PAGE}, {"status": 413, **PAGE}, {"status": 400, **PAGE}, {"status": 403, **PAGE}]
)
def test_answers_that_the_server_does_not_take_keep_none_back(telephone: Telephone, bad: dict[str, Any]) -> None:
    """What comes after may be graver. They wait, and are tried again."""
    told = telephone(
        {"do": "send", "records": [queued("a", 1), queued("b", 2)], "replies": {"/etat": DOOR, "a": bad, "b": TAKEN}}
    )
    assert told["result"] == {"state": "offline", "sent": [{"level": "rouge"}]}
    assert told["held"] == [["a", ""]]


def test_what_the_server_refuses_stays_with_its_sentence(telephone: Telephone) -> None:
    refused = {"status": 409, "text": json.dumps({"error": "Ce suivi est terminé."})}
    told = telephone(
        {
            "do": "send",
            "records": [queued("a", 1), queued("b", 2)],
            "replies": {"/etat": DOOR, "a": refused, "b": TAKEN},
        }
    )
    assert (told["held"], told["result"]["state"]) == ([["a", "Ce suivi est terminé."]], "sent")
    again = telephone(
        {"do": "send", "records": [queued("a", 1, refused="Ce suivi est terminé.")], "replies": {"/etat": DOOR}}
    )
    assert again["asked"] == []


def test_on_a_shared_telephone_each_sends_their_own_and_the_page_knows_why_the_others_wait(
    telephone: Telephone,
) -> None:
    records = [queued("theirs", 1, grant="other"), queued("mine", 2)]
    told = telephone({"do": "send", "records": records, "replies": {"/etat": DOOR, "mine": TAKEN}})
    assert (told["held"], told["result"]["state"]) == ([["theirs", ""]], "other")
    assert told["asked"] == ["/etat", "mine"]


@pytest.mark.parametrize(
    ("status", "text", "state"), [(401, "{}", "entry"), (200, "<html>", "offline"), (500, "<html>", "offline")]
)
def test_without_a_way_in_nothing_is_sent_and_nothing_lost(
    telephone: Telephone, status: int, text: str, state: str
) -> None:
    """The session ended, the network of a hotel answers in the place of the site, the site is ill."""
    told = telephone(
        {"do": "send", "records": [queued("a", 1)], "replies": {"/etat": {"status": status, "text": text}}}
    )
    assert (told["held"], told["result"]["state"], told["asked"]) == ([["a", ""]], state, ["/etat"])


def test_a_way_in_that_ended_for_good_says_that_nothing_could_be_sent(telephone: Telephone) -> None:
    gone = {"status": 410, "text": json.dumps({"grant": "mine"})}
    card = {"id": "card:mine", "kind": "card", "grant": "mine", "until": "2099"}
    told = telephone(
        {"do": "send", "records": [card, queued("a", 1), queued("b", 2, "other")], "replies": {"/etat": gone}}
    )
    assert told["held"] == [["a", "Votre accès est terminé."], ["b", ""]]


def test_answers_that_wait_outlive_a_clock_that_jumped(telephone: Telephone) -> None:
    """A telephone that believes it is 2099 forgets the card and the draft, not what nobody has received."""
    until = "2026-11-30T00:00:00.000Z"
    records = [
        {"id": "card:mine", "kind": "card", "grant": "mine", "until": until},
        {"id": "draft:mine", "kind": "draft", "grant": "mine", "until": until},
        queued("a", 1, until=until),
    ]
    told = telephone({"do": "expire", "records": records, "at": "2099-01-01T00:00:00Z"})
    assert told["held"] == [["a", ""]]


@pytest.mark.parametrize("wrong", [timedelta(), timedelta(minutes=4), timedelta(days=400), timedelta(days=-3)])
def test_a_card_is_read_by_the_clock_of_the_site(telephone: Telephone, wrong: timedelta) -> None:
    """Paris is a day ahead of UTC late in the evening; a telephone may be years off."""
    now, until = datetime(2026, 11, 21, 23, 30, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC)
    card = {
        "now": now.isoformat(), "until": until.isoformat(), "days": [{"date": "2026-11-22"}, {"date": "2026-11-29"}],
    }  # fmt: skip
    told = telephone({"do": "settle", "card": card, "at": (now + wrong).isoformat()})["result"]
    assert (told["today"], told["day"]) == ("2026-11-22", "2026-11-22")
    moved = wrong if abs(wrong) > timedelta(minutes=5) else timedelta()
    assert datetime.fromisoformat(told["until"]) == until + moved

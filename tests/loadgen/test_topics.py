"""How an auditor comes to topics, where no broker is needed to tell."""

import pytest

from loadgen import topics
from loadgen.topics import KafkaTopics, TopicsAway


def test_a_broker_that_is_away_is_named_without_the_password_that_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "SECONDS", 0.1)
    with KafkaTopics("auditor:secret@127.0.0.1:1") as there, pytest.raises(TopicsAway, match=r"127\.0\.0\.1:1") as said:
        list(there.read("uploads"))
    assert "secret" not in str(said.value)

"""Mistakes in a submission, as the command line, the API, the inbox and Kafka tell them."""

from typing import Any

import pytest
from pydantic import ValidationError

from inference.models import shipped_models
from kiosk.contract import NewUpload
from streams import intake
from streams.wording import complaint

MISTAKES = [
    ({"diametr": 24}, "there is no option 'diametr'; there are pixel_size, diameter, channel."),
    ({"diameter": 0}, "diameter must be from 2 to 2000 pixels."),
    ({"pixel_size": "big"}, "pixel size must be between 0.001 and 1000 µm."),
]


@pytest.mark.parametrize(("options", "told"), MISTAKES)
def test_a_mistake_in_the_options_of_an_event_is_one_sentence(options: dict[str, Any], told: str) -> None:
    with pytest.raises(intake.Refused) as refused:
        intake.check("nuclei", options, shipped_models())
    assert str(refused.value) == told


@pytest.mark.parametrize(("options", "told"), MISTAKES)
def test_the_api_tells_it_in_the_same_words(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NewUpload.model_validate({"name": "a.tif", "options": options})
    assert complaint(refused.value) == told


def test_what_is_no_option_and_not_known_is_no_option_either() -> None:
    with pytest.raises(ValidationError) as refused:
        NewUpload.model_validate({"name": "a.tif", "colour": "red"})
    assert complaint(refused.value) == "there is nothing called colour to be given."

"""How large an image's objects are, where neither its submission nor its file says anything about sizes."""

from inference.models import Model
from inference.sizing import Search
from storage.images import Image
from streams.events import ImageFound
from streams.original import pixel_size
from streams.tools import Tools


async def estimated_diameter(found: ImageFound, image: Image, model: Model, tools: Tools) -> float | None:
    """The diameter in px of a typical object; None where a size is known, or none can be told.

    The middle plane tells for all of them, and a later attempt comes to the same figure: whoever gives it as the
    diameter gets the same labels.
    """
    if found.options.diameter or pixel_size(found, image):
        return None
    with tools.timed("model"):
        search = await tools.compute(Search, image.planes[len(image.planes) // 2], model)
        while search.asked:
            maps = await tools.gate.infer(model, *search.asked, tools.lane, tools.patience, tools.spent)
            await tools.compute(search.answer, maps)
    return search.diameter

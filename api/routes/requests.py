"""What came of a request that was not answered at once."""

from typing import Annotated

from fastapi import APIRouter, Path

from api import shapes
from api.answer import Answer
from api.asking import show
from api.auth import Reader
from api.services import Wired
from api.threads import quick

router = APIRouter(prefix="/v1/requests", tags=["requests"])


@router.get("/{request_id}", response_model=shapes.Asked)
@quick
def show_request(wired: Wired, caller: Reader, request_id: Annotated[str, Path(max_length=64)]) -> Answer:
    """What came of a reorder, count, swap or reversal; `outcome` is null until it is answered."""
    return Answer(show(wired, caller.scope, request_id))

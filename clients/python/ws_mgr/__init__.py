"""Posts the events of an AI agent to the browser of the right user, by way of
ngx_ws_mgr.  Needs the standard library only; AsyncClient needs httpx.

    from ws_mgr import Client

    client = Client('http://127.0.0.1:8080/api/')
    agent = client.emitter('ann', thread_id='t1', run_id='r1')

    agent.agent_started('planner')

    with agent.tool('search', arguments={'q': 'nginx'}) as tool:
        tool.results = search('nginx')

    agent.agent_completed('done', input_tokens=1200, output_tokens=80)

Each event has an event_id, so that it can be posted again when an answer was
lost, and is delivered once.  What cannot be delivered to the log raises a
WsMgrError; a user who is not online is no error, and a receipt says so.
"""

from typing import TYPE_CHECKING

from ._errors import (ApiError, BadAnswer, BadRequest, Conflict, Denied,
                      InvalidEvent, InvalidJson, NotFound, NotJson,
                      PlaceholderId, RateLimited, Rejected, RunOrder,
                      SchemaError, TooLarge, Unavailable, Unreachable,
                      WsMgrError)
from ._receipt import Event, Receipt, Tokens
from ._stream import Stream
from ._sync import Batch, Client, Emitter, Tool

if TYPE_CHECKING:
    from ._async import (AsyncBatch, AsyncClient, AsyncEmitter, AsyncStream,
                         AsyncTool)

__version__ = '0.1.0'

__all__ = [
    'ApiError', 'AsyncBatch', 'AsyncClient', 'AsyncEmitter', 'AsyncStream',
    'AsyncTool', 'BadAnswer', 'BadRequest', 'Batch', 'Client', 'Conflict',
    'Denied', 'Emitter', 'Event', 'InvalidEvent', 'InvalidJson', 'NotFound',
    'NotJson', 'PlaceholderId', 'RateLimited', 'Receipt', 'Rejected',
    'RunOrder', 'SchemaError', 'Stream', 'Tokens', 'Tool', 'TooLarge',
    'Unavailable', 'Unreachable', 'WsMgrError',
]


def __getattr__(name: str) -> object:
    """What needs httpx, where that is installed."""

    if name.startswith('Async') and name in __all__:
        from . import _async
        return getattr(_async, name)

    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

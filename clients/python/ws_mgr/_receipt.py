"""An event, what it may carry, and what the manager said of it.  This module
imports nothing of the package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

Event = Dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    """Token usage of an event; the manager adds it up per run."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    def members(self) -> Dict[str, Any]:
        return {'input_tokens': self.input_tokens,
                'output_tokens': self.output_tokens, 'cost': self.cost}


@dataclass(frozen=True)
class Receipt:
    """The state of one event.  sockets is how many of the user's were told of
    it at the node that took it, nodes how many nodes heard of it; None where
    that is not known.  connections is there where it was waited for.  pending is
    true of an event that a batch or a stream still holds: only its event_id is
    known, and its receipt is among theirs after the block."""

    event_id: Optional[str]
    id: Optional[str]
    seq: Optional[int]
    duplicate: bool
    sockets: Optional[int]
    nodes: Optional[int]
    connections: Optional[List[Dict[str, str]]] = None
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    pending: bool = False

    @staticmethod
    def of(answer: Mapping[str, Any]) -> 'Receipt':
        return Receipt(answer.get('event_id'), answer.get('id'),
                       answer.get('seq'), bool(answer.get('duplicate')),
                       answer.get('sockets'), answer.get('nodes'),
                       answer.get('connections'), answer)

    @staticmethod
    def held(event_id: str) -> 'Receipt':
        return Receipt(event_id, None, None, False, None, None, pending=True)

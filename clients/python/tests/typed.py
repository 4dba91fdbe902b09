"""Checked by mypy, never run: the types that a user of the package sees."""

import ssl

from ws_mgr import AsyncClient, Client, Receipt


def threads() -> int:
    client = Client('http://127.0.0.1/api/', headers={'X-Trace': '7'},
                    ssl_context=ssl.create_default_context())
    agent = client.emitter('ann')
    receipt: Receipt = agent.event('x')
    name: str = agent.user_id

    with agent.tool('search') as tool:
        tool.results = name

    with agent.batch() as batch:
        held: Receipt = agent.progress(50)

    with agent.stream() as stream:
        agent.agent_thinking('well')

    ticket: str = client.issue_ticket('ann')['ticket_id']
    client.revoke_ticket(ticket)

    return sum(r.seq or 0 for r in
               [receipt, held, *batch.receipts, *stream.receipts])


async def tasks() -> int:
    async with AsyncClient('http://127.0.0.1/api/',
                           unix_socket='/run/api.sock') as client:
        agent = client.emitter('ann')
        receipt: Receipt = await agent.event('x')

        async with agent.tool('search') as tool:
            tool.results = agent.user_id

        async with agent.batch() as batch:
            held: Receipt = await agent.progress(50)

        async with agent.stream() as stream:
            await agent.agent_thinking('well')

        ticket: str = (await client.issue_ticket('ann'))['ticket_id']
        await client.ticket(ticket)

        return sum(r.seq or 0 for r in
                   [receipt, held, *batch.receipts, *stream.receipts])


async def wrong() -> None:
    client = AsyncClient('http://127.0.0.1/api/')
    client.nowhere()                            # wrong: no such method
    number: int = (await client.post([]))[0]    # wrong: a Receipt
    print(number)

"""A bridge that knows only the base level: what somebody might have written before there were extensions.

It answers no features, sends no response headers before its first message, matches topics by prefix, and
ignores every message it does not know.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

import grpc
import grpc.aio

from loom.v1 import action_pb2, agent_pb2, bridge_pb2_grpc, event_pb2, stream_pb2


class BaseLevelBridge(bridge_pb2_grpc.BridgeServicer, bridge_pb2_grpc.ActionBrokerServicer):
    """The bridge, and its server."""

    def __init__(self, *, pongs: bool = True, credentials: grpc.ServerCredentials | None = None) -> None:
        self.pongs = pongs
        self.metadata: list[dict[str, str]] = []
        self.peers: list[str] = []
        self._credentials = credentials
        self.registrations: list[agent_pb2.AgentRegisterRequest] = []
        self.strange: list[str] = []
        self.address = ""
        self._topics: dict[str, list[str]] = {}
        self._offers: dict[str, str] = {}
        self._queues: dict[str, asyncio.Queue[stream_pb2.ServerEvent]] = {}
        self._calls: dict[str, asyncio.Future[action_pb2.ActionResult]] = {}
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        bridge_pb2_grpc.add_BridgeServicer_to_server(self, self._server)
        bridge_pb2_grpc.add_ActionBrokerServicer_to_server(self, self._server)
        if self._credentials is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            port = self._server.add_secure_port("127.0.0.1:0", self._credentials)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.stop(None)

    async def RegisterAgent(self, request: Any, context: Any) -> agent_pb2.AgentRegisterResponse:  # noqa: N802  # gRPC's name
        self.registrations.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.peers.append(context.peer())
        self._topics[request.agent_id] = list(request.subscribed_topics)
        self._offers.update({item.name: request.agent_id for item in request.capabilities})
        return agent_pb2.AgentRegisterResponse(success=True)

    async def EventStream(self, requests: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        first = await anext(aiter(requests))
        agent_id = first.ack.message_id
        queue: asyncio.Queue[stream_pb2.ServerEvent] = asyncio.Queue()
        self._queues[agent_id] = queue
        reader = asyncio.create_task(self._read(requests, queue))
        try:
            while not (reader.done() and queue.empty()):
                waiting = asyncio.ensure_future(queue.get())
                await asyncio.wait([waiting, reader], return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    yield waiting.result()
                else:
                    waiting.cancel()
        finally:
            reader.cancel()
            self._queues.pop(agent_id, None)

    async def ForwardAction(self, request: Any, context: Any) -> action_pb2.ActionResult:  # noqa: N802  # gRPC's name
        provider = self._offers.get(request.capability, "")
        if provider not in self._queues:
            error = action_pb2.ActionError(code="NOT_FOUND", message=f"no {request.capability}")
            return action_pb2.ActionResult(id=request.id, status=action_pb2.ACTION_ERROR, error=error)
        answer = self._calls[request.id] = asyncio.get_running_loop().create_future()
        self._queues[provider].put_nowait(stream_pb2.ServerEvent(action_call=request))
        return await answer

    async def _read(self, requests: Any, queue: asyncio.Queue[stream_pb2.ServerEvent]) -> None:
        async for message in requests:
            kind = message.WhichOneof("msg")
            if kind == "publish":
                self._publish(message.publish)
            elif kind == "ping" and self.pongs:
                pong = stream_pb2.HeartbeatResponse(timestamp_ms=message.ping.timestamp_ms, status="ok")
                queue.put_nowait(stream_pb2.ServerEvent(pong=pong))
            elif kind == "action_result":
                self._calls.pop(message.action_result.id).set_result(message.action_result)
            elif kind != "ping":
                self.strange.append(str(kind))

    def _publish(self, publish: event_pb2.Publish) -> None:
        if publish.confirm or publish.pub_seq:
            self.strange.append("confirm")
        delivery = event_pb2.Delivery(topic=publish.topic, event=publish.event)
        for agent_id, queue in self._queues.items():
            if any(publish.topic.startswith(topic.rstrip("*>")) for topic in self._topics[agent_id]):
                queue.put_nowait(stream_pb2.ServerEvent(delivery=delivery))

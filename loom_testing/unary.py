"""Methods that take one message, read by ourselves.

gRPC's own handlers for such methods never answer a call that its client closes without a whole message: it
stays open until its client gives up. Here it ends with INTERNAL, as other stacks end it (LIM-2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]

__all__ = ["unary", "unary_stream"]


def unary(handle: Callable[[bytes, Context], Awaitable[bytes]]) -> Handler:
    """A method that answers one message with one."""

    async def serve(_requests: object, context: Context) -> bytes:
        return await handle(await _message(context), context)

    return grpc.stream_unary_rpc_method_handler(serve)


def unary_stream(handle: Callable[[bytes, Context], Awaitable[None]]) -> Handler:
    """A method that answers one message with as many as it writes."""

    async def serve(_requests: object, context: Context) -> None:
        await handle(await _message(context), context)

    return grpc.stream_stream_rpc_method_handler(serve)


async def _message(context: Context) -> bytes:
    data: Any = await context.read()
    if data is grpc.aio.EOF:
        await context.abort(grpc.StatusCode.INTERNAL, "the call was closed without a whole message")
    message: bytes = data
    return message

"""The Observatory for assistants: a server of the Model Context Protocol (MCP).

The tools are clients of the JSON API, and format its answers as bounded text: ``trace_tools`` about
one or two traces, ``selection_tools`` about many, ``sql_tools`` about anything else. ``server``
offers them with the official SDK, ``http`` at ``/mcp`` of a running Observatory and ``stdio`` as
``observatory mcp``. All of it only reads.

Importing the SDK takes a second, so ``http`` imports nothing of it, or of the tools, before the
first request.
"""

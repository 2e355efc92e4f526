"""The programs that a row runs as processes of their own: `python -m benchmarks.players.MODULE PART ...`.

Each module has the parts of one system: who publishes, who answers, who asks. All speak to the run through
`table`.
"""

"""How the trio is tested: each agent alone, all of them, and what happens when something goes wrong.

pytest examples/research/tests                       # on the fake bridge
pytest examples/research/tests --loom-bridge=rust    # the same, on the real one
"""

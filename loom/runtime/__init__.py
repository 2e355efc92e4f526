"""Finding a bridge, or starting one.

Layout:
    choose.py     which bridge it is: `find_bridge`, `find_running`
    found.py      `Found`: a bridge, how it was found, and why it was chosen
    named.py      one that was named: an argument, the environment, loom.toml
    managed.py    the managed bridge, for those who have only a token
    embedded.py   a local bridge: the fake, started by itself and shared by one user's agents
    folder.py     the folder of one user in which a local bridge leaves its address
    programs.py   the bridges that tools start (`loom dev`, the tests): `choose` between rust, docker and fake
    rust.py       the Rust bridge's binary: named, of its package, or built from this checkout
    cargo.py      building it
    docker.py     its image, and its containers
    container.py  a container as if it were a process of one's own

A further way to run a local bridge (a binary, an image) is one more file with a `find` of its own, named in
`choose.LOCAL`, the best first.
"""

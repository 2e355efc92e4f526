"""`python -m loom_bridge`: the bridge itself."""

import os
import subprocess
import sys

from loom_bridge import find_loom_bridge_bin

if __name__ == "__main__":
    command = [find_loom_bridge_bin(), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603  # our own binary
    os.execv(command[0], command)  # noqa: S606  # as above

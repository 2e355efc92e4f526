"""What holds on every bridge: these tests run on the fake, the Rust bridge and its image, line for line."""

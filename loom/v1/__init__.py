"""Generated from `proto/loom/v1`: the wire. Do not edit; `loom proto` writes it anew."""

"""Generated from `proto/loom/testing/v1`. Do not edit; `loom proto` writes it anew."""

"""Generated from `proto/loom/view/v1`. Do not edit; `loom proto` writes it anew."""

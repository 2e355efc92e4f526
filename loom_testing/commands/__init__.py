"""Commands of `loom-testing`, one module each; what they do is imported when they run."""

"""Generated code of the testing control."""

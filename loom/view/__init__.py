"""Generated code of a bridge's private view of the wire."""

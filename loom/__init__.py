"""Loom."""

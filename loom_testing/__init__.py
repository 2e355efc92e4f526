"""The fake bridge and the test harness of Loom."""

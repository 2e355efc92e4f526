"""Programs of real use, written as a user of Loom would write them."""

"""Scripts that print figures: `make bench`, or `python -m benchmarks NAME ...`. No test depends on a clock."""

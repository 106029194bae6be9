"""What calls the service from outside; uploaded as it is (components/canary.py)."""

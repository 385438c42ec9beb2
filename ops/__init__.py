"""What people run beside synthesis."""

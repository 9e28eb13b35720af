"""What screening decides: pure functions over frozen states; time and ids come as arguments."""

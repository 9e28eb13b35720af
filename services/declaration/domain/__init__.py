"""The rules of persons, residences, places and declarations; pure."""

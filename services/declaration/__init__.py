"""Who lives where, who is there, and what they declared.

Owns: places and exits, persons and identifiers, households, residences, presence, declarations.
Listens to: stops.recorded (head counts).
Publishes: place.registered / amended, resident.registered / moved / left, presence.recorded,
declaration.submitted.
Answers: register_place, import_places, import_residents, get_import, register_residents,
submit_declaration(s), request_correction, get_declaration, find_declarations, find_places,
find_residents, get_roll, record_presence, get_coverage.

Personal data lies in `sealed` fields only and is found again by fingerprint only.
"""

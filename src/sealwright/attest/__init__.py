"""Facts in, statements and documents out. Pure: no file, no network, no clock, no signature."""

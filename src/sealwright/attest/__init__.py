"""Facts in, statements out. Pure: no file, no network, no clock, no signature."""

"""Files, bounded: read once, hashed fast, written whole. Never follows a link and never blocks on a FIFO."""
